/* Who may see which channel. The first rule whose pattern (channel_pattern.h) matches decides; a
 * channel that no rule matches is refused. */
#ifndef SLUICE_PROTO_CHANNEL_RULES_H
#define SLUICE_PROTO_CHANNEL_RULES_H

#include <stdbool.h>
#include <stddef.h>

#include "sluice/base/slice.h"
#include "sluice/proto/channel_name.h"
#include "sluice/proto/record/session_value.h"

enum channel_allow { CHANNEL_ALLOW_SESSION, CHANNEL_ALLOW_ANYONE };

struct channel_rule {
	struct slice match;
	enum channel_allow allow;
	bool automatic; /* "auto": subscribed when the connection opens, without a request */
	int batch_ms;   /* how long publications wait for others; -1: not set */
};

/* NULL: the rule is valid; else a literal that tells the operator what is wrong ("'*' is allowed
 * only at the end"; "'auto' needs a rule without '*'"; "unbalanced '{'"; …). The other functions
 * take valid rules only. */
const char *channel_rule_problem(const struct channel_rule *rule);

/* May this identity (NULL: anonymous) see the channel? */
bool channel_rules_allow(const struct channel_rule *rules, size_t n_rules,
	const struct identity *identity, struct slice channel);

/* Is there an identity that may see the channel? */
bool channel_rules_could_allow(
	const struct channel_rule *rules, size_t n_rules, struct slice channel);

/* Calls `each` with every channel that this identity (NULL: anonymous) is subscribed to
 * automatically. Each is valid and allowed (for an anonymous identity, an earlier rule may require
 * a session). The name is borrowed for the call. Stops at the first result of `each` that is not 0,
 * and returns it. A name may be repeated. After some ten thousand names it ends and returns 0. */
int channel_rules_each_automatic(const struct channel_rule *rules, size_t n_rules,
	const struct identity *identity, int (*each)(void *context, struct slice channel),
	void *context);

/* How long a channel's publications wait for others, in ms: from the first rule that could match
 * the name for any identity. `otherwise` if that rule does not set it, or no rule matches. */
unsigned channel_rules_batch_ms(
	const struct channel_rule *rules, size_t n_rules, struct slice channel, unsigned otherwise);

/* Is any automatic rule one that could match the name for some identity? */
bool channel_rules_may_be_automatic(
	const struct channel_rule *rules, size_t n_rules, struct slice channel);

#endif
