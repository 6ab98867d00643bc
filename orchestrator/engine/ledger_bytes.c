/* Numbers as they lie in memory, texts and lists with their length. */
#include "engine/ledger_bytes.h"

#include "external/crypto.h"

void ledger_bytes_init(struct ledger_bytes *b)
{
	*b = (struct ledger_bytes){ .text = BUF_INIT(LEDGER_BYTES_MOST) };
}

void ledger_bytes_deinit(struct ledger_bytes *b)
{
	buf_deinit(&b->text);
}

static void add_u32(struct buf *buf, uint32_t number)
{
	buf_add(buf, &number, sizeof(number));
}

/* With its length, so that no two lists of texts read the same. */
static void add_text(struct buf *buf, const char *text)
{
	size_t n = text ? strlen(text) : 0;

	add_u32(buf, text ? (uint32_t)n : UINT32_MAX);
	buf_add(buf, text ? text : "", n);
}

static void add_texts(struct buf *buf, const char *const *texts, size_t n)
{
	add_u32(buf, (uint32_t)n);
	for (size_t i = 0; i < n; i++)
		add_text(buf, texts[i]);
}

/* Most stages share one. */
static void add_env(struct ledger_bytes *b, const struct action *action)
{
	_cleanup_buf_ struct buf text = BUF_INIT(LEDGER_BYTES_MOST);

	if (b->env != action->env) {
		for (size_t i = 0; i < action->n_env; i++) {
			add_text(&text, action->env[i].name);
			add_text(&text, action->env[i].value);
		}
		b->text.overflow |= text.overflow;
		digest_of(buf_text(&text), text.n, &b->env_digest);
		b->env = action->env;
	}
	buf_add(&b->text, &b->env_digest, sizeof(b->env_digest));
}

static void add_outputs(struct buf *buf, const struct action *action)
{
	add_u32(buf, (uint32_t)action->n_outputs);
	for (size_t i = 0; i < action->n_outputs; i++) {
		add_text(buf, action->outputs[i].path);
		add_u32(buf, action->outputs[i].non_empty);
		add_texts(buf, action->outputs[i].exclude, action->outputs[i].n_exclude);
	}
}

static void add_placement(struct buf *buf, const struct placement *placement)
{
	const struct tree_node *node = &placement->node;

	add_text(buf, placement->at);
	add_u32(buf, (uint32_t)node->kind << 1 | node->executable);
	if (node->kind == NODE_LINK) {
		add_text(buf, node->target);
		return;
	}
	buf_add(buf, &node->ref.digest, sizeof(node->ref.digest));
	buf_add(buf, &node->ref.size, sizeof(node->ref.size));
}

bool ledger_bytes_make(struct ledger_bytes *b, const struct plan *plan, size_t at,
                       const struct placement *placements)
{
	const struct plan_node *node = &plan->nodes[at];
	static const struct digest none;
	struct action action = plan_action(plan, node);
	struct buf *buf = &b->text;

	buf_clear(buf);
	action_sort(&action);
	buf_add(buf, action.image ? action.image : &none, sizeof(none));
	add_env(b, &action);
	add_text(buf, action.arch);
	add_texts(buf, action.argv, action.n_argv);
	add_text(buf, action.workdir);
	add_outputs(buf, &action);
	add_text(buf, action.builtin);
	add_u32(buf, action.fixed_addresses);
	add_u32(buf, (uint32_t)action.n_exit_codes);
	buf_add(buf, action.exit_codes, action.n_exit_codes * sizeof(*action.exit_codes));
	add_texts(buf, action.reject, action.n_reject);
	for (size_t i = 0; i < node->n_inputs; i++)
		add_placement(buf, &placements[i]);
	return !buf->overflow;
}
