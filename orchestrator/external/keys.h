#ifndef KILN_EXTERNAL_KEYS_H
#define KILN_EXTERNAL_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"

/*
 * Signing keys by OpenSSL: ECDSA on P-256 with SHA-256 (the default) and Ed25519, as PEM: PKCS#8
 * for private keys, SubjectPublicKeyInfo for public ones. Everything else is refused by name.
 * Faults of a key are ERR_INPUT: the caller knows whether it was an option or a file of a release.
 */
struct key;

enum key_type { KEY_P256, KEY_ED25519 };

enum { KEY_PEM_MOST = 64 * 1024 };

/* Outcome: the signature is not one of this key over these bytes. */
enum { KEY_BAD_SIGNATURE = 1 };

/*
 * Reads a private key; `what` names it in errors ("file:release.pem"). `passphrase` is NULL where
 * none is at hand: an encrypted key is then refused with a message of its own.
 */
int key_read_private(const char *text, size_t n, const char *passphrase, const char *what,
                     struct key **ret, struct err *err);
/* Reads a public key. A private key or a certificate in its place is refused by name. */
int key_read_public(const char *text, size_t n, const char *what, struct key **ret,
                    struct err *err);
int key_generate(enum key_type type, struct key **ret, struct err *err);
struct key *key_free(struct key *key); /* NULL is fine; returns NULL */
void key_cleanup(struct key **key);
#define _cleanup_key_ __attribute__((cleanup(key_cleanup)))

enum key_type key_type(const struct key *key);
const char *key_type_text(enum key_type type); /* "ecdsa-p256", "ed25519" */
bool key_is_private(const struct key *key);

/* PEM; the private one is encrypted (AES-256-CBC, PBKDF2) when a passphrase is given. */
int key_write_private(const struct key *key, const char *passphrase, struct buf *buf,
                      struct err *err);
void key_write_public(const struct key *key, struct buf *buf);
/* The DER SubjectPublicKeyInfo, and its SHA-256: what bundles carry as a hint. */
void key_spki(const struct key *key, struct buf *buf);
void key_id(const struct key *key, struct digest *ret);
/* "SHA256:" and the base64 of key_id without padding. Caller frees. */
char *key_fingerprint(const struct key *key);

/* Signs the bytes (P-256: DER signature over their SHA-256; Ed25519: over the bytes). */
int key_sign(const struct key *key, const void *p, size_t n, struct buf *signature,
             struct err *err);
/* Returns 0 or KEY_BAD_SIGNATURE. */
int key_verify(const struct key *key, const void *p, size_t n, const void *signature,
               size_t signature_n);

#endif
