/* kiln keygen: a pair of signing keys in two files, never over existing ones. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "cli/print.h"
#include "external/json.h"
#include "external/keys.h"
#include "host/fs.h"
#include "release/signer.h"

static int parse_type(const char *text, enum key_type *ret, struct err *err)
{
	static const char *const names[] = { "p256", "ed25519", NULL };
	const char *near;

	if (!text || str_eq(text, "p256")) {
		*ret = KEY_P256;
		return 0;
	}
	if (str_eq(text, "ed25519")) {
		*ret = KEY_ED25519;
		return 0;
	}
	near = str_nearest(text, names);
	err_set(err, ERR_USAGE, "--type %s: expected p256 or ed25519", text);
	return near ? err_hint(err, "did you mean %s?", near) : -1;
}

/* A new file, durable; one that is there is never touched. */
static int write_new(const char *path, const struct buf *text, mode_t mode, struct err *err)
{
	_cleanup_fd_ int fd =
		open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);

	if (fd < 0 && errno == EEXIST) {
		err_set(err, ERR_USAGE, "%s is there already", path);
		return err_hint(err, "choose another name; a key that signed releases must stay");
	}
	if (fd < 0)
		return err_sys(err, ERR_IO, "cannot create %s", path);
	if (fs_write_all(fd, text->p, text->n, path, err) == 0 && fsync(fd) == 0)
		return 0;
	err_sys(err, ERR_IO, "cannot write %s", path);
	unlink(path);
	return -1;
}

static int write_pair(const struct key *key, const char *private_path, const char *public_path,
                      const char *passphrase, struct err *err)
{
	_cleanup_secret_ struct buf secret = BUF_INIT(KEY_PEM_MOST);
	_cleanup_buf_ struct buf public = BUF_INIT(KEY_PEM_MOST);

	if (key_write_private(key, passphrase, &secret, err) < 0)
		return -1;
	key_write_public(key, &public);
	if (write_new(private_path, &secret, 0600, err) < 0)
		return -1;
	if (write_new(public_path, &public, 0644, err) < 0) {
		unlink(private_path);
		return -1;
	}
	return 0;
}

static int show(const struct cli *cli, const struct key *key, const char *private_path,
                const char *public_path, struct err *err)
{
	_cleanup_free_ char *fingerprint = key_fingerprint(key);
	_cleanup_free_ char *text = NULL;
	const char *type = key_type_text(key_type(key));

	if (cli->json) {
		_cleanup_json_ json_t *out =
			json_pack("{s:s, s:o, s:o, s:s, s:s}", "schema", "kiln.keygen/1", "private",
		                  json_any_text(private_path), "public", json_any_text(public_path),
		                  "type", type, "fingerprint", fingerprint);

		return print_json(out, err);
	}
	text = str_fmt("private  %s   keep it secret, keep a copy\n"
	               "public   %s   publish it: kiln verify DIR --key %s\n"
	               "key      %s %s\n",
	               private_path, public_path, public_path, type, fingerprint);
	return print_text(text, strlen(text), err);
}

static int run(struct cli *cli, const struct command_args *args, struct err *err)
{
	const char *name = args->operands[0];
	const char *passphrase = NULL;
	_cleanup_free_ char *private_path = str_fmt("%s.pem", name);
	_cleanup_free_ char *public_path = str_fmt("%s.pub.pem", name);
	_cleanup_key_ struct key *key = NULL;
	enum key_type type = KEY_P256;

	if (parse_type(args_value(args, "--type"), &type, err) < 0)
		return -1;
	if (args_has(args, "--encrypt")) {
		passphrase = getenv("KILN_KEY_PASSPHRASE");
		if (!passphrase || !passphrase[0])
			return err_set(
				err, ERR_USAGE,
				"--encrypt takes the passphrase from the "
				"environment variable KILN_KEY_PASSPHRASE, which is not set");
	}
	if (key_generate(type, &key, err) < 0 ||
	    write_pair(key, private_path, public_path, passphrase, err) < 0)
		return err_while(err, "making the key %s", name);
	return show(cli, key, private_path, public_path, err);
}

static const struct command_option options[] = {
	{ "--type", "TYPE", "p256 (default: every verifier knows it) or ed25519", false },
	{ "--encrypt", NULL, "encrypts the private key with KILN_KEY_PASSPHRASE", false },
	{ 0 },
};

const struct command cmd_keygen = {
	.name = "keygen",
	.summary = "make a pair of signing keys",
	.operands = "NAME",
	.help = "Writes NAME.pem (the private key, PKCS#8, mode 0600) and NAME.pub.pem (the public\n"
		"key, to be published). Files that are there are never overwritten.\n",
	.options = options,
	.min_operands = 1,
	.max_operands = 1,
	.topic = TOPIC_SIGN,
	.run = run,
};
