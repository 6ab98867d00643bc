/*
 * Sigstore bundles. The signing side writes canonical JSON; the verifying side trusts the hint for
 * a message only: which key was used. What counts is the signature under the caller's key.
 */
#include "release/bundle.h"

#include <string.h>

#include "base/alloc.h"
#include "external/base64.h"
#include "external/crypto.h"
#include "external/json.h"

#define PAYLOAD_TYPE "application/vnd.in-toto+json"

static char *base64_text(const void *p, size_t n)
{
	struct buf buf = BUF_INIT(n / 3 * 4 + 8);

	base64_encode(p, n, &buf);
	bug_on(buf.overflow);
	return buf_steal(&buf);
}

static json_t *material(const struct key *key)
{
	struct digest id;
	_cleanup_free_ char *hint = NULL;

	key_id(key, &id);
	hint = base64_text(id.bytes, sizeof(id.bytes));
	return json_pack("{s:{s:s}}", "publicKey", "hint", hint);
}

/* Takes `content` over. */
static int write_bundle(const struct key *key, const char *member, json_t *content, struct buf *ret,
                        struct err *err)
{
	json_t *bundle = json_pack("{s:s, s:o, s:o}", "mediaType", BUNDLE_MEDIA,
	                           "verificationMaterial", material(key), member, content);

	bug_on(!bundle);
	json_write_canonical(bundle, ret);
	buf_add_char(ret, '\n');
	json_decref(bundle);
	return ret->overflow ? err_set(err, ERR_INPUT,
	                               "a signature bundle would be larger than "
	                               "%zu bytes",
	                               ret->limit) :
	                       0;
}

int bundle_sign_message(const struct key *key, const void *p, size_t n, struct buf *ret,
                        struct err *err)
{
	_cleanup_buf_ struct buf raw = BUF_INIT(1024);
	_cleanup_free_ char *sig = NULL;
	_cleanup_free_ char *digest_text = NULL;
	struct digest digest;

	if (key_sign(key, p, n, &raw, err) < 0)
		return -1;
	digest_of(p, n, &digest);
	sig = base64_text(raw.p, raw.n);
	digest_text = base64_text(digest.bytes, sizeof(digest.bytes));
	return write_bundle(key, "messageSignature",
	                    json_pack("{s:{s:s, s:s}, s:s}", "messageDigest", "algorithm",
	                              "SHA2_256", "digest", digest_text, "signature", sig),
	                    ret, err);
}

/* DSSE's pre-authentication encoding. */
static void pae(const void *payload, size_t n, struct buf *ret)
{
	buf_fmt(ret, "DSSEv1 %zu %s %zu ", strlen(PAYLOAD_TYPE), PAYLOAD_TYPE, n);
	buf_add(ret, payload, n);
	bug_on(ret->overflow);
}

int bundle_sign_statement(const struct key *key, const void *statement, size_t n, struct buf *ret,
                          struct err *err)
{
	_cleanup_buf_ struct buf message = BUF_INIT(n + 128);
	_cleanup_buf_ struct buf raw = BUF_INIT(1024);
	_cleanup_free_ char *sig = NULL;
	_cleanup_free_ char *payload = NULL;

	pae(statement, n, &message);
	if (key_sign(key, message.p, message.n, &raw, err) < 0)
		return -1;
	sig = base64_text(raw.p, raw.n);
	payload = base64_text(statement, n);
	return write_bundle(key, "dsseEnvelope",
	                    json_pack("{s:s, s:s, s:[{s:s}]}", "payload", payload, "payloadType",
	                              PAYLOAD_TYPE, "signatures", "sig", sig),
	                    ret, err);
}

/* A member that must be a string of this text. */
static int expect(const json_t *object, const char *key, const char *text, const char *what,
                  struct err *err)
{
	const char *value;

	if (json_get_str(object, key, what, &value, err) < 0)
		return -1;
	if (str_eq(value, text))
		return 0;
	return err_set(err, ERR_INPUT, "%s: member \"%s\" is not \"%s\"", what, key, text);
}

static int check_hint(const struct key *key, const json_t *material_json, const char *what,
                      struct err *err)
{
	static const char *const in_material[] = { "publicKey", NULL };
	static const char *const in_key[] = { "hint", NULL };
	_cleanup_json_ json_t *mine = material(key);
	json_t *public;

	if (json_only_members(material_json, in_material, what, err) < 0 ||
	    json_get_object(material_json, "publicKey", what, &public, err) < 0 ||
	    json_only_members(public, in_key, what, err) < 0)
		return -1;
	if (json_equal(mine, material_json))
		return 0;
	return err_set(err, ERR_DENIED, "%s was made with another key than the one given", what);
}

/* Parses the frame of both forms; *ret_content is the named member. */
static int open_bundle(const struct key *key, const char *text, size_t n, const char *member,
                       const char *what, json_t **ret_bundle, json_t **ret_content, struct err *err)
{
	const char *const known[] = { "mediaType", "verificationMaterial", member, NULL };
	json_t *material_json;

	if (json_parse(text, n, what, ret_bundle, err) < 0)
		return -1;
	if (!json_is_object(*ret_bundle))
		return err_set(err, ERR_INPUT, "%s is no signature bundle", what);
	if (json_only_members(*ret_bundle, known, what, err) < 0 ||
	    expect(*ret_bundle, "mediaType", BUNDLE_MEDIA, what, err) < 0 ||
	    json_get_object(*ret_bundle, "verificationMaterial", what, &material_json, err) < 0 ||
	    json_get_object(*ret_bundle, member, what, ret_content, err) < 0)
		return -1;
	return check_hint(key, material_json, what, err);
}

static int decode_member(const json_t *object, const char *key, const char *what, struct buf *ret,
                         struct err *err)
{
	_cleanup_free_ char *name = str_fmt("%s: member \"%s\"", what, key);
	const char *text;

	if (json_get_str(object, key, what, &text, err) < 0)
		return -1;
	return base64_decode(text, name, ret, err);
}

static int check_message(const struct key *key, const json_t *content, const void *p, size_t n,
                         const char *what, struct err *err)
{
	static const char *const in_content[] = { "messageDigest", "signature", NULL };
	static const char *const in_digest[] = { "algorithm", "digest", NULL };
	_cleanup_buf_ struct buf signature = BUF_INIT(BUNDLE_MOST);
	_cleanup_buf_ struct buf claimed = BUF_INIT(BUNDLE_MOST);
	struct digest digest;
	json_t *digest_json;

	if (json_only_members(content, in_content, what, err) < 0 ||
	    json_get_object(content, "messageDigest", what, &digest_json, err) < 0 ||
	    json_only_members(digest_json, in_digest, what, err) < 0 ||
	    expect(digest_json, "algorithm", "SHA2_256", what, err) < 0 ||
	    decode_member(digest_json, "digest", what, &claimed, err) < 0 ||
	    decode_member(content, "signature", what, &signature, err) < 0)
		return -1;
	digest_of(p, n, &digest);
	if (claimed.n != sizeof(digest.bytes) || memcmp(claimed.p, digest.bytes, claimed.n) != 0)
		return err_set(err, ERR_DENIED, "%s signs other bytes than those that lie here",
		               what);
	if (key_verify(key, p, n, buf_text(&signature), signature.n) != 0)
		return err_set(err, ERR_DENIED, "the signature in %s is wrong", what);
	return 0;
}

static int check_envelope(const struct key *key, const json_t *content, const char *what,
                          struct buf *ret_statement, struct err *err)
{
	static const char *const in_content[] = { "payload", "payloadType", "signatures", NULL };
	static const char *const in_signature[] = { "sig", NULL };
	_cleanup_buf_ struct buf signature = BUF_INIT(BUNDLE_MOST);
	_cleanup_buf_ struct buf payload = BUF_INIT(BUNDLE_MOST);
	_cleanup_buf_ struct buf message = BUF_INIT(BUNDLE_MOST + 128);
	json_t *signatures, *first;

	if (json_only_members(content, in_content, what, err) < 0 ||
	    expect(content, "payloadType", PAYLOAD_TYPE, what, err) < 0 ||
	    json_get_array(content, "signatures", what, &signatures, err) < 0)
		return -1;
	first = json_array_get(signatures, 0);
	if (json_array_size(signatures) != 1 || !json_is_object(first))
		return err_set(err, ERR_INPUT, "%s holds not exactly one signature", what);
	if (json_only_members(first, in_signature, what, err) < 0 ||
	    decode_member(first, "sig", what, &signature, err) < 0 ||
	    decode_member(content, "payload", what, &payload, err) < 0)
		return -1;
	pae(buf_text(&payload), payload.n, &message);
	if (key_verify(key, message.p, message.n, buf_text(&signature), signature.n) != 0)
		return err_set(err, ERR_DENIED, "the signature in %s is wrong", what);
	buf_add(ret_statement, buf_text(&payload), payload.n);
	if (ret_statement->overflow)
		return err_set(err, ERR_INPUT, "%s is too large", what);
	return 0;
}

/* What a stranger's file did wrong is a refusal, whoever noticed it. */
static int refuse(const struct err *mine, struct err *err)
{
	return err_set(err, ERR_DENIED, "%s", mine->cause);
}

int bundle_verify_message(const struct key *key, const char *bundle, size_t bundle_n, const void *p,
                          size_t n, const char *what, struct err *err)
{
	_cleanup_json_ json_t *json = NULL;
	struct err mine = ERR_INIT;
	json_t *content;

	if (open_bundle(key, bundle, bundle_n, "messageSignature", what, &json, &content, &mine) <
	            0 ||
	    check_message(key, content, p, n, what, &mine) < 0)
		return refuse(&mine, err);
	return 0;
}

int bundle_verify_statement(const struct key *key, const char *bundle, size_t bundle_n,
                            const char *what, struct buf *ret_statement, struct err *err)
{
	_cleanup_json_ json_t *json = NULL;
	struct err mine = ERR_INIT;
	json_t *content;

	if (open_bundle(key, bundle, bundle_n, "dsseEnvelope", what, &json, &content, &mine) < 0 ||
	    check_envelope(key, content, what, ret_statement, &mine) < 0)
		return refuse(&mine, err);
	return 0;
}
