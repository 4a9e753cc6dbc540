/* Applies the list of rules to an identity. A channel that no rule allows is refused. */
#include "sluice/proto/channel_rules.h"

#include "sluice/proto/channel_pattern.h"

/* Far beyond any limit on channels. If an identity has more automatic names, the others are left
 * out. */
enum { AUTOMATIC_STEPS_MAX = 16384 };

const char *channel_rule_problem(const struct channel_rule *rule)
{
	const char *problem = channel_pattern_problem(rule->match);
	if (!problem && rule->automatic && channel_pattern_is_open(rule->match))
		return "'auto' needs a rule without '*'";
	return problem;
}

bool channel_rules_allow(const struct channel_rule *rules, size_t n_rules,
	const struct identity *identity, struct slice channel)
{
	struct channel_match name;
	if (!channel_name_is_valid(channel))
		return false;
	channel_match_init(&name, channel);
	for (size_t i = 0; i < n_rules; i++) {
		if (channel_pattern_matches(rules[i].match, identity, &name))
			return identity || rules[i].allow == CHANNEL_ALLOW_ANYONE;
	}
	return false;
}

/* The first rule that could match the channel for some identity; NULL: none. */
static const struct channel_rule *find_possible(
	const struct channel_rule *rules, size_t n_rules, struct slice channel)
{
	for (size_t i = 0; i < n_rules; i++)
		if (channel_pattern_could_match(rules[i].match, channel))
			return &rules[i];
	return NULL;
}

bool channel_rules_could_allow(
	const struct channel_rule *rules, size_t n_rules, struct slice channel)
{
	return find_possible(rules, n_rules, channel) != NULL;
}

struct automatic {
	const struct channel_rule *rules;
	size_t n_rules;
	const struct identity *identity;
	int (*each)(void *context, struct slice channel);
	void *context;
};

/* An identity may see a channel if any rule matches; the order of the rules matters only for
 * anonymous clients. */
static int offer(void *context, struct slice name)
{
	const struct automatic *automatic = context;
	if (!channel_name_is_valid(name))
		return 0;
	if (!automatic->identity &&
		!channel_rules_allow(automatic->rules, automatic->n_rules, NULL, name))
		return 0;
	return automatic->each(automatic->context, name);
}

int channel_rules_each_automatic(const struct channel_rule *rules, size_t n_rules,
	const struct identity *identity, int (*each)(void *context, struct slice channel),
	void *context)
{
	struct automatic automatic = { rules, n_rules, identity, each, context };
	size_t steps = AUTOMATIC_STEPS_MAX;
	int result = 0;
	for (size_t i = 0; i < n_rules && result == 0; i++) {
		if (rules[i].automatic)
			result = channel_pattern_each(
				rules[i].match, identity, &steps, offer, &automatic);
	}
	return result;
}

unsigned channel_rules_batch_ms(
	const struct channel_rule *rules, size_t n_rules, struct slice channel, unsigned otherwise)
{
	const struct channel_rule *rule = find_possible(rules, n_rules, channel);
	return rule && rule->batch_ms >= 0 ? (unsigned)rule->batch_ms : otherwise;
}

bool channel_rules_may_be_automatic(
	const struct channel_rule *rules, size_t n_rules, struct slice channel)
{
	for (size_t i = 0; i < n_rules; i++)
		if (rules[i].automatic && channel_pattern_could_match(rules[i].match, channel))
			return true;
	return false;
}
