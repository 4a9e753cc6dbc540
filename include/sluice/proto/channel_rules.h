/* Who may see which channel. The first rule that matches decides; what matches none is refused.
 *
 * A rule's `match` is literal text with {dotted.path} for a text from the session (an array: any of
 * its elements) and, only at the very end, * for the rest of the name (which may be empty). Rule
 * text with a {path} that the session does not have matches nothing. Texts from the session are
 * compared as they are, and a name never becomes a pattern. */
#ifndef SLUICE_PROTO_CHANNEL_RULES_H
#define SLUICE_PROTO_CHANNEL_RULES_H

#include <stdbool.h>
#include <stddef.h>

#include "sluice/base/slice.h"
#include "sluice/proto/record/session_value.h"

enum { CHANNEL_NAME_MAX = 256 };

enum channel_allow { CHANNEL_ALLOW_SESSION, CHANNEL_ALLOW_ANYONE };

struct channel_rule {
	struct slice match;
	enum channel_allow allow;
	bool automatic; /* "auto": subscribed at once, without asking */
	int batch_ms;   /* how long publications wait for others; -1: the rule does not say */
};

/* NULL: the rule is good; else what is wrong with it, in words for the operator ("'*' is allowed
 * only at the end"; "'auto' needs a rule without '*'"; "unbalanced '{'"; …). */
const char *channel_rule_problem(const struct channel_rule *rule);

/* May be asked for at all: 1–256 bytes of valid UTF-8, no control character, not beginning "__". */
bool channel_name_is_valid(struct slice name);

/* May this identity (NULL: anonymous) see the channel? */
bool channel_rules_allow(const struct channel_rule *rules, size_t n_rules,
	const struct identity *identity, struct slice channel);

/* Calls `each` with every channel that the rules subscribe this identity (NULL: anonymous) to by
 * themselves; each valid and allowed (an earlier rule may forbid nothing, but one may be "session"
 * while the identity is anonymous). The name is borrowed for the call. Stops at, and gives, the
 * first result of `each` that is not 0. The same name may come twice. After some ten thousand names
 * it ends, with 0. */
int channel_rules_each_automatic(const struct channel_rule *rules, size_t n_rules,
	const struct identity *identity, int (*each)(void *context, struct slice channel),
	void *context);

/* How long a channel's publications wait for others: what the first rule says that the name may match,
 * whoever asks: {path} stands for any text here. `otherwise` when that says nothing, or there is none. */
unsigned channel_rules_batch_ms(
	const struct channel_rule *rules, size_t n_rules, struct slice channel, unsigned otherwise);

#endif
