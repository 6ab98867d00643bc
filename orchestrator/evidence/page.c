/* The report as HTML. Every text goes through escape(): names and notes come from outside. */
#include "evidence/page.h"

#include "base/alloc.h"

static void escape(struct buf *buf, const char *text)
{
	for (const char *p = text; *p; p++) {
		switch (*p) {
		case '<':
			buf_add_str(buf, "&lt;");
			break;
		case '>':
			buf_add_str(buf, "&gt;");
			break;
		case '&':
			buf_add_str(buf, "&amp;");
			break;
		case '"':
			buf_add_str(buf, "&quot;");
			break;
		default:
			buf_add_char(buf, *p);
		}
	}
}

static void cell(struct buf *buf, const char *tag, const char *text)
{
	buf_fmt(buf, "<%s>", tag);
	escape(buf, text);
	buf_fmt(buf, "</%s>", tag);
}

static const char style[] =
	"body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;"
	"color:#222;background:#fff}table{border-collapse:collapse;width:100%;margin:1rem 0}"
	"th,td{text-align:left;padding:.25rem .75rem .25rem 0;border-bottom:1px solid #ddd;"
	"vertical-align:top}code,pre{font:13px/1.4 ui-monospace,monospace;word-break:break-all}"
	".mark{border-left:4px solid #b45309;padding-left:.75rem}td.n{text-align:right}"
	"@media(prefers-color-scheme:dark){body{color:#ddd;background:#16181c}th,td{border-color:"
	"#444}}";

static void head(struct buf *buf, const json_t *manifest)
{
	const char *name = json_str_or(manifest, "name", "");
	const char *version = json_str_or(manifest, "version", "");

	buf_add_str(buf, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
	                 "<meta name=\"viewport\" content=\"width=device-width\">\n<title>");
	escape(buf, name);
	buf_add_char(buf, ' ');
	escape(buf, version);
	buf_fmt(buf, "</title>\n<style>%s</style></head><body>\n<h1>", style);
	escape(buf, name);
	buf_add_char(buf, ' ');
	escape(buf, version);
	buf_add_str(buf, "</h1>\n<p>Dated ");
	escape(buf, json_str_or(manifest, "date", ""));
	buf_add_str(buf, ", made by Kiln ");
	escape(buf, json_str_or(manifest, "kiln", ""));
	buf_add_str(buf, ".</p>\n");
}

static void marks(struct buf *buf, const json_t *manifest)
{
	const json_t *signing = json_object_get(manifest, "signing");
	json_t *note;
	size_t i;

	if (!json_is_object(signing)) {
		buf_add_str(buf, "<p class=\"mark\">Nobody signed this release: its checksums find "
		                 "damage, not tampering.</p>\n");
	} else {
		buf_add_str(buf, "<p>Signed with the key <code>");
		escape(buf, json_str_or(signing, "fingerprint", ""));
		buf_add_str(buf, "</code>. Compare it with what its owner published elsewhere; the "
		                 "copy in this folder proves nothing.</p>\n");
		if (json_is_true(json_object_get(signing, "development")))
			buf_add_str(buf, "<p class=\"mark\">That is a development key, made on the "
			                 "machine that built this: not for publishing.</p>\n");
	}
	json_array_foreach (json_object_get(manifest, "notes"), i, note) {
		buf_add_str(buf, "<p class=\"mark\">");
		escape(buf, json_is_string(note) ? json_string_value(note) : "");
		buf_add_str(buf, "</p>\n");
	}
}

static void targets(struct buf *buf, const json_t *verdict)
{
	const char *triple;
	json_t *one;

	buf_add_str(buf,
	            "<h2>Targets</h2>\n<table><tr><th>target</th><th>ships</th><th>verdict</th>"
	            "</tr>\n");
	json_object_foreach (json_object_get(verdict, "targets"), triple, one) {
		_cleanup_buf_ struct buf text = BUF_INIT(1 << 20);

		json_write_pretty(one, &text);
		buf_add_str(buf, "<tr>");
		cell(buf, "td", triple);
		cell(buf, "td", json_str_or(one, "ship", ""));
		buf_add_str(buf, "<td>");
		escape(buf, json_str_or(one, "kind", ""));
		buf_add_str(buf, "<details><summary>all of it</summary><pre>");
		escape(buf, buf_text(&text));
		buf_add_str(buf, "</pre></details></td></tr>\n");
	}
	buf_add_str(buf, "</table>\n");
}

static void files(struct buf *buf, const json_t *manifest)
{
	json_t *file;
	size_t i;

	buf_add_str(buf, "<h2>Files</h2>\n<table><tr><th>file</th><th>kind</th><th>target</th>"
	                 "<th>bytes</th><th>SHA-256</th></tr>\n");
	json_array_foreach (json_object_get(manifest, "files"), i, file) {
		buf_add_str(buf, "<tr>");
		cell(buf, "td", json_str_or(file, "file", ""));
		cell(buf, "td", json_str_or(file, "kind", ""));
		cell(buf, "td", json_str_or(file, "target", ""));
		buf_fmt(buf, "<td class=\"n\">%lld</td><td><code>",
		        (long long)json_integer_value(json_object_get(file, "size")));
		escape(buf, json_str_or(file, "sha256", ""));
		buf_add_str(buf, "</code></td></tr>\n");
	}
	buf_add_str(buf, "</table>\n");
}

static void made_of(struct buf *buf, const json_t *statement)
{
	const json_t *predicate = json_object_get(statement, "predicate");
	const json_t *list = json_object_get(json_object_get(predicate, "buildDefinition"),
	                                     "resolvedDependencies");
	json_t *one;
	size_t i;

	buf_fmt(buf,
	        "<h2>Made of</h2>\n<details><summary>%zu inputs by digest</summary>\n<table>"
	        "<tr><th>what</th><th>SHA-256</th></tr>\n",
	        json_array_size(list));
	json_array_foreach ((json_t *)list, i, one) {
		const json_t *digest = json_object_get(one, "digest");

		buf_add_str(buf, "<tr>");
		cell(buf, "td", json_str_or(one, "uri", json_str_or(one, "name", "")));
		buf_add_str(buf, "<td><code>");
		escape(buf, json_str_or(digest, "sha256", ""));
		buf_add_str(buf, "</code></td></tr>\n");
	}
	buf_add_str(buf, "</table></details>\n");
}

void page_write(const json_t *manifest, const json_t *verdict, const json_t *statement,
                struct buf *buf)
{
	head(buf, manifest);
	marks(buf, manifest);
	targets(buf, verdict);
	files(buf, manifest);
	made_of(buf, statement);
	buf_add_str(buf, "<h2>Check it</h2>\n<pre>kiln verify . --key PUB.pem\n"
	                 "sha256sum -c SHA256SUMS\n"
	                 "cosign verify-blob --key PUB.pem --insecure-ignore-tlog=true \\\n"
	                 "  --bundle SHA256SUMS.sigstore.json SHA256SUMS</pre>\n</body></html>\n");
}
