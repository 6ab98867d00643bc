/*
 * Signing keys through OpenSSL's EVP interface. The PEM label is looked at before anything is
 * decoded, so that each wrong kind of file gets a message that says what it is and what to do, and
 * so that OpenSSL never asks for a passphrase on the terminal.
 */
#include "external/keys.h"

#include <limits.h>
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include "base/alloc.h"
#include "external/base64.h"
#include "external/crypto.h"

struct key {
	EVP_PKEY *pkey;
	enum key_type type;
	bool private;
};

struct key *key_free(struct key *key)
{
	if (key) {
		EVP_PKEY_free(key->pkey);
		free(key);
	}
	return NULL;
}

void key_cleanup(struct key **key)
{
	*key = key_free(*key);
}

/* The first reason in OpenSSL's queue, which is emptied. */
static const char *reason(void)
{
	unsigned long code = ERR_peek_error();
	const char *text = code ? ERR_reason_error_string(code) : NULL;

	ERR_clear_error();
	return text ? text : "unknown reason";
}

static int name_wrong_type(EVP_PKEY *pkey, const char *what, struct err *err)
{
	char group[64] = "";
	const char *type = EVP_PKEY_get0_type_name(pkey);

	EVP_PKEY_get_group_name(pkey, group, sizeof(group), NULL);
	err_set(err, ERR_INPUT,
	        "%s is a key of type %s%s%s (%d bits): Kiln signs and verifies with "
	        "ECDSA P-256 and Ed25519 only",
	        what, type ? type : "unknown", group[0] ? " " : "", group, EVP_PKEY_get_bits(pkey));
	return err_hint(err, "make a key with: kiln keygen NAME");
}

/* Takes pkey over, also on failure. */
static int wrap(EVP_PKEY *pkey, bool private, const char *what, struct key **ret, struct err *err)
{
	struct key key = { .pkey = pkey, .private = private };
	EVP_PKEY_CTX *ctx;
	char group[64] = "";
	bool sound;

	if (EVP_PKEY_is_a(pkey, "ED25519")) {
		key.type = KEY_ED25519;
	} else if (EVP_PKEY_is_a(pkey, "EC") &&
	           EVP_PKEY_get_group_name(pkey, group, sizeof(group), NULL) == 1 &&
	           str_eq(group, "prime256v1")) {
		key.type = KEY_P256;
	} else {
		name_wrong_type(pkey, what, err);
		EVP_PKEY_free(pkey);
		return -1;
	}
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
	sound = ctx && EVP_PKEY_public_check(ctx) == 1 &&
	        (!private || key.type != KEY_P256 || EVP_PKEY_check(ctx) == 1);
	EVP_PKEY_CTX_free(ctx);
	if (!sound) {
		EVP_PKEY_free(pkey);
		return err_set(err, ERR_INPUT, "%s is no sound key: %s", what, reason());
	}
	*ret = alloc_dup(&key, sizeof(key));
	return 0;
}

/* What stands in a PEM file, decoded, with its label. */
struct pem {
	char *label;
	unsigned char *der;
	long der_n;
	bool has_headers; /* "Proc-Type: 4,ENCRYPTED" of the old formats */
};

static void pem_deinit(struct pem *pem)
{
	OPENSSL_free(pem->label);
	OPENSSL_clear_free(pem->der, pem->der ? (size_t)pem->der_n : 0);
}

static int pem_read(const char *text, size_t n, const char *what, struct pem *ret, struct err *err)
{
	struct pem pem = { 0 };
	char *headers = NULL;
	BIO *bio;
	int ok;

	if (n > KEY_PEM_MOST)
		return err_set(err, ERR_INPUT, "%s is larger than a key can be (%d bytes)", what,
		               KEY_PEM_MOST);
	bio = BIO_new_mem_buf(text, (int)n);
	bug_on(!bio);
	ok = PEM_read_bio(bio, &pem.label, &headers, &pem.der, &pem.der_n);
	BIO_free(bio);
	if (!ok) {
		err_set(err, ERR_INPUT, "%s holds no PEM text: %s", what, reason());
		return err_hint(err,
		                "a key starts with a line -----BEGIN … KEY-----; make one with: "
		                "kiln keygen NAME");
	}
	pem.has_headers = headers && headers[0];
	OPENSSL_free(headers);
	*ret = pem;
	return 0;
}

static int wrong_label(const struct pem *pem, const char *what, bool private, struct err *err)
{
	const char *label = pem->label;

	err_set(err, ERR_INPUT, "%s holds \"%s\", not %s", what, label,
	        private ? "a private key in PKCS#8 (\"PRIVATE KEY\")" :
	                  "a public key (\"PUBLIC KEY\")");
	if (private && (str_eq(label, "EC PRIVATE KEY") || str_eq(label, "RSA PRIVATE KEY")))
		return err_hint(err, "convert it: openssl pkcs8 -topk8 -nocrypt -in KEY -out "
		                     "NEW.pem");
	if (!private && str_ends(label, "PRIVATE KEY"))
		return err_hint(err, "verifying takes the public half: openssl pkey -in KEY "
		                     "-pubout -out PUB.pem");
	if (!private && str_ends(label, "CERTIFICATE"))
		return err_hint(err, "take the key out of it: openssl x509 -in CERT -noout "
		                     "-pubkey > PUB.pem");
	return err_hint(err, "make a pair with: kiln keygen NAME");
}

/* Decrypts PKCS#8 in memory; *ret_info is the key's plain form. */
static int decrypt(const struct pem *pem, const char *passphrase, const char *what,
                   PKCS8_PRIV_KEY_INFO **ret_info, struct err *err)
{
	const unsigned char *at = pem->der;
	X509_SIG *sealed;
	PKCS8_PRIV_KEY_INFO *info;

	if (!passphrase) {
		err_set(err, ERR_INPUT, "%s is encrypted and no passphrase was given", what);
		return err_hint(err, "put the passphrase into the environment variable "
		                     "KILN_KEY_PASSPHRASE");
	}
	sealed = d2i_X509_SIG(NULL, &at, pem->der_n);
	if (!sealed)
		return err_set(err, ERR_INPUT, "%s is a damaged key: %s", what, reason());
	info = PKCS8_decrypt(sealed, passphrase, (int)strlen(passphrase));
	X509_SIG_free(sealed);
	if (!info) {
		ERR_clear_error();
		return err_set(err, ERR_INPUT,
		               "%s cannot be decrypted: the passphrase is wrong or "
		               "the key is damaged",
		               what);
	}
	*ret_info = info;
	return 0;
}

static int decode_private(const struct pem *pem, const char *passphrase, const char *what,
                          struct key **ret, struct err *err)
{
	PKCS8_PRIV_KEY_INFO *info = NULL;
	const unsigned char *at = pem->der;
	EVP_PKEY *pkey;

	if (str_eq(pem->label, "ENCRYPTED PRIVATE KEY")) {
		if (decrypt(pem, passphrase, what, &info, err) < 0)
			return -1;
	} else if (!str_eq(pem->label, "PRIVATE KEY") || pem->has_headers) {
		return wrong_label(pem, what, true, err);
	} else {
		info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, pem->der_n);
	}
	pkey = info ? EVP_PKCS82PKEY(info) : NULL;
	PKCS8_PRIV_KEY_INFO_free(info);
	if (!pkey)
		return err_set(err, ERR_INPUT, "%s is a damaged key: %s", what, reason());
	return wrap(pkey, true, what, ret, err);
}

int key_read_private(const char *text, size_t n, const char *passphrase, const char *what,
                     struct key **ret, struct err *err)
{
	struct pem pem;
	int rc;

	if (pem_read(text, n, what, &pem, err) < 0)
		return -1;
	rc = decode_private(&pem, passphrase, what, ret, err);
	pem_deinit(&pem);
	return rc;
}

int key_read_public(const char *text, size_t n, const char *what, struct key **ret, struct err *err)
{
	const unsigned char *at;
	EVP_PKEY *pkey = NULL;
	struct pem pem;
	int rc;

	if (pem_read(text, n, what, &pem, err) < 0)
		return -1;
	at = pem.der;
	if (!str_eq(pem.label, "PUBLIC KEY"))
		rc = wrong_label(&pem, what, false, err);
	else if (!(pkey = d2i_PUBKEY(NULL, &at, pem.der_n)) || at != pem.der + pem.der_n)
		rc = err_set(err, ERR_INPUT, "%s is a damaged key: %s", what, reason());
	else
		rc = wrap(steal(pkey), false, what, ret, err);
	EVP_PKEY_free(pkey);
	pem_deinit(&pem);
	return rc;
}

int key_generate(enum key_type type, struct key **ret, struct err *err)
{
	EVP_PKEY *pkey =
		type == KEY_P256 ? EVP_EC_gen("P-256") : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

	if (!pkey)
		return err_set(err, ERR_MACHINE, "cannot make a key: %s", reason());
	return wrap(pkey, true, "the new key", ret, err);
}

enum key_type key_type(const struct key *key)
{
	return key->type;
}

const char *key_type_text(enum key_type type)
{
	return type == KEY_P256 ? "ecdsa-p256" : "ed25519";
}

bool key_is_private(const struct key *key)
{
	return key->private;
}

static void add_bio(BIO *bio, struct buf *buf)
{
	char *p = NULL;
	long n = BIO_get_mem_data(bio, &p);

	buf_add(buf, p, (size_t)n);
	BIO_free(bio);
}

int key_write_private(const struct key *key, const char *passphrase, struct buf *buf,
                      struct err *err)
{
	BIO *bio = BIO_new(BIO_s_secmem());
	int n = passphrase ? (int)strlen(passphrase) : 0;

	bug_on(!bio || !key->private);
	if (PEM_write_bio_PKCS8PrivateKey(bio, key->pkey, passphrase ? EVP_aes_256_cbc() : NULL,
	                                  passphrase, n, NULL, NULL) != 1) {
		BIO_free(bio);
		return err_set(err, ERR_MACHINE, "cannot encode the private key: %s", reason());
	}
	add_bio(bio, buf);
	return 0;
}

void key_write_public(const struct key *key, struct buf *buf)
{
	BIO *bio = BIO_new(BIO_s_mem());

	bug_on(!bio || PEM_write_bio_PUBKEY(bio, key->pkey) != 1);
	add_bio(bio, buf);
}

void key_spki(const struct key *key, struct buf *buf)
{
	unsigned char *der = NULL;
	int n = i2d_PUBKEY(key->pkey, &der);

	bug_on(n <= 0);
	buf_add(buf, der, (size_t)n);
	OPENSSL_free(der);
}

void key_id(const struct key *key, struct digest *ret)
{
	_cleanup_buf_ struct buf der = BUF_INIT(4096);

	key_spki(key, &der);
	bug_on(der.overflow);
	digest_of(der.p, der.n, ret);
}

char *key_fingerprint(const struct key *key)
{
	_cleanup_buf_ struct buf text = BUF_INIT(128);
	struct digest id;

	key_id(key, &id);
	buf_add_str(&text, "SHA256:");
	base64_encode(id.bytes, sizeof(id.bytes), &text);
	bug_on(text.overflow || text.p[text.n - 1] != '=');
	text.p[text.n - 1] = '\0';
	return str_dup(text.p);
}

int key_sign(const struct key *key, const void *p, size_t n, struct buf *signature, struct err *err)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	const EVP_MD *md = key->type == KEY_P256 ? EVP_sha256() : NULL;
	unsigned char sig[256];
	size_t sig_n = sizeof(sig);
	bool ok;

	bug_on(!ctx || !key->private);
	ok = EVP_DigestSignInit(ctx, NULL, md, NULL, key->pkey) == 1 &&
	     EVP_DigestSign(ctx, sig, &sig_n, p, n) == 1;
	EVP_MD_CTX_free(ctx);
	if (!ok)
		return err_set(err, ERR_MACHINE, "cannot sign: %s", reason());
	buf_add(signature, sig, sig_n);
	return 0;
}

int key_verify(const struct key *key, const void *p, size_t n, const void *signature,
               size_t signature_n)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	const EVP_MD *md = key->type == KEY_P256 ? EVP_sha256() : NULL;
	bool ok;

	bug_on(!ctx);
	ok = EVP_DigestVerifyInit(ctx, NULL, md, NULL, key->pkey) == 1 &&
	     EVP_DigestVerify(ctx, signature, signature_n, p, n) == 1;
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return ok ? 0 : KEY_BAD_SIGNATURE;
}
