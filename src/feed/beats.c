/* Whoever subscribes to the channel of the beats hears the beats of all gateways, so one a second is
 * enough for the whole fleet. Each process waits a second and a random part of half a second after
 * the last beat that one of its links has heard; the first one to run out of patience publishes, and
 * its beat makes the others wait again (the idea is that of RFC 6206).
 *
 * A beat is *known* once the server has answered our PUBLISH, or another link of ours has heard it.
 * What a link has not heard of the known ones it is owed. That proves nothing yet: the link may be
 * slow, or this thread busy. But Redis writes the answer to a PING behind everything that it
 * delivered before. So when a PING that was sent after a beat was known has been answered, and the
 * beat has not been heard, then it was not delivered to this link: the server that we publish to does
 * not know the link as a subscriber, because it is another server, or has forgotten it. That holds
 * for Redis itself. Proxies answer PINGs themselves, so a link is also given some time.
 *
 * The number of receivers in the answer to PUBLISH says the same without delay: if it is smaller than
 * the number of our links, some are not there. Which ones, the answered PING says. Then no more time
 * is given, but to a link that was made anew for this reason: if that did not help, it is no use to
 * do it again at once.
 *
 * A link that is slow is owed beats, too, but its PINGs are not answered either. What it is owed is
 * how far it is behind. That is the gateway's own fault when the process was stopped: then all time
 * before it went on does not count. */
#include "sluice/feed/beats.h"

#include "sluice/base/random.h"
#include "sluice/proto/beat.h"

static const uint64_t MS = 1000000;

/* ---- known beats ---- */

static struct beat_known *known_at(struct beats *beats, uint64_t number)
{
	return &beats->known[number % BEATS_KNOWN_MAX];
}

static uint64_t oldest_known(const struct beats *beats)
{
	return beats->n_known > BEATS_KNOWN_MAX ? beats->n_known - BEATS_KNOWN_MAX : 0;
}

static uint64_t sent_at(const struct beats *beats, uint64_t mark)
{
	for (size_t i = 0; i < BEATS_OWN_MAX; i++)
		if (beats->own[i].sent && beats->own[i].mark == mark)
			return beats->own[i].sent;
	return 0;
}

/* Returns the beat's number, from 1. */
static uint64_t know(struct beats *beats, uint64_t mark, uint64_t now)
{
	for (uint64_t i = beats->n_known; i > oldest_known(beats); i--)
		if (known_at(beats, i - 1)->mark == mark)
			return i;
	*known_at(beats, beats->n_known) =
		(struct beat_known){ .mark = mark, .sent = sent_at(beats, mark), .since = now };
	return ++beats->n_known;
}

/* The oldest known beat that the link has not heard; NULL: none. */
static const struct beat_known *owed(struct beats *beats, const struct beat_link *link)
{
	if (!link->confirmed)
		return NULL;
	for (uint64_t i = MAX(link->seen, oldest_known(beats)); i < beats->n_known; i++) {
		const struct beat_known *known = known_at(beats, i);
		if (!known->sent || known->sent >= link->since)
			return known;
	}
	return NULL;
}

/* ---- judging ---- */

static uint64_t age(const struct beats *beats, uint64_t then, uint64_t now)
{
	uint64_t begin = MAX(then, beats->woken);
	return now > begin ? now - begin : 0;
}

/* For how long the link has been owed a beat. */
static uint64_t debt_of(struct beats *beats, const struct beat_link *link, uint64_t now)
{
	const struct beat_known *known = owed(beats, link);
	return known ? age(beats, known->sent ? known->sent : known->since, now) : 0;
}

static uint64_t lag_of(struct beats *beats, const struct beat_link *link, uint64_t now)
{
	return link->confirmed ? MAX(link->lag, debt_of(beats, link, now)) : 0;
}

static bool is_lagging(
	struct beats *beats, const struct beat_link *link, uint64_t lag_limit, uint64_t now)
{
	return link->confirmed &&
	       ((link->measured && link->lag > lag_limit) || debt_of(beats, link, now) > lag_limit);
}

/* A link on a replica hears the beat a moment after the replica has answered the PING. */
static bool is_patience_over(const struct beats *beats, const struct beat_link *link,
	const struct beat_known *known, uint64_t now)
{
	uint64_t silence = age(beats, MAX(link->since, link->heard), now);
	if (link->doubt == BEAT_STARVING)
		return silence >= BEATS_PATIENCE_AGAIN_MS * MS;
	return silence >= BEATS_PATIENCE_MS * MS ||
	       (known->missed && age(beats, known->since, now) >= BEATS_MISSED_MS * MS);
}

static bool is_starving(struct beats *beats, const struct beat_link *link, uint64_t now)
{
	const struct beat_known *known = owed(beats, link);
	return known && link->answered >= known->since && is_patience_over(beats, link, known, now);
}

static enum beat_doubt find_doubt(
	struct beats *beats, const struct beat_link *link, uint64_t lag_limit, uint64_t now)
{
	if (is_starving(beats, link, now))
		return BEAT_STARVING;
	return is_lagging(beats, link, lag_limit, now) ? BEAT_LAGGING : BEAT_FINE;
}

enum beat_doubt beats_judge(
	struct beats *beats, struct beat_link *link, uint64_t lag_limit, uint64_t now)
{
	uv_mutex_lock(&beats->mutex);
	enum beat_doubt doubt = find_doubt(beats, link, lag_limit, now);
	if (doubt != BEAT_FINE)
		link->doubt = doubt;
	uv_mutex_unlock(&beats->mutex);
	return doubt;
}

enum beat_doubt beats_doubt(
	struct beats *beats, const struct beat_link *link, uint64_t lag_limit, uint64_t now)
{
	uv_mutex_lock(&beats->mutex);
	enum beat_doubt doubt = find_doubt(beats, link, lag_limit, now);
	if (doubt == BEAT_FINE)
		doubt = link->doubt;
	uv_mutex_unlock(&beats->mutex);
	return doubt;
}

static bool is_hearing(const struct beats *beats, uint64_t now)
{
	LIST_EACH (node, &beats->links) {
		const struct beat_link *link = container_of(node, struct beat_link, node);
		if (link->confirmed && age(beats, link->since, now) >= BEATS_UNPROVEN_MS * MS)
			return true;
	}
	return false;
}

bool beats_are_unproven(struct beats *beats, uint64_t now)
{
	uv_mutex_lock(&beats->mutex);
	bool unproven = !beats->denied_until && is_hearing(beats, now) &&
			age(beats, beats->proven, now) >= BEATS_UNPROVEN_MS * MS;
	uv_mutex_unlock(&beats->mutex);
	return unproven;
}

static bool are_allowed(const struct beats *beats)
{
	bool allowed = !beats->denied_until;
	LIST_EACH (node, &beats->links)
		allowed = allowed && !container_of(node, struct beat_link, node)->refused;
	return allowed;
}

bool beats_are_allowed(struct beats *beats)
{
	uv_mutex_lock(&beats->mutex);
	bool allowed = are_allowed(beats);
	uv_mutex_unlock(&beats->mutex);
	return allowed;
}

uint64_t beats_age(struct beats *beats, uint64_t then, uint64_t now)
{
	uv_mutex_lock(&beats->mutex);
	uint64_t ns = age(beats, then, now);
	uv_mutex_unlock(&beats->mutex);
	return ns;
}

uint64_t beats_lag(struct beats *beats, uint64_t now)
{
	uint64_t lag = 0;
	uv_mutex_lock(&beats->mutex);
	LIST_EACH (node, &beats->links)
		lag = MAX(lag, lag_of(beats, container_of(node, struct beat_link, node), now));
	uv_mutex_unlock(&beats->mutex);
	return lag;
}

uint64_t beats_silence(struct beats *beats, const struct beat_link *link, uint64_t now)
{
	uv_mutex_lock(&beats->mutex);
	uint64_t heard = link->heard;
	uv_mutex_unlock(&beats->mutex);
	return !heard ? UINT64_MAX : now > heard ? now - heard : 0;
}

/* All workers tick, so only a stop of the whole process leaves a long time between two ticks. */
void beats_tick(struct beats *beats, uint64_t now)
{
	uv_mutex_lock(&beats->mutex);
	if (now > beats->ticked + BEATS_STOPPED_MS * MS)
		beats->woken = now;
	beats->ticked = MAX(beats->ticked, now);
	uv_mutex_unlock(&beats->mutex);
}

/* ---- what happens on a link ---- */

static void wait_again(struct beats *beats, uint64_t now)
{
	beats->due = now + (BEATS_QUIET_MS + random_below(BEATS_JITTER_MS)) * MS;
}

void beats_confirmed(struct beats *beats, struct beat_link *link, uint64_t now)
{
	uv_mutex_lock(&beats->mutex);
	link->confirmed = true;
	link->refused = false;
	link->since = now;
	link->answered = link->lag = 0;
	link->measured = false;
	link->seen = beats->n_known;
	beats->due = MIN(beats->due, now);
	uv_mutex_unlock(&beats->mutex);
}

bool beats_refused(struct beats *beats, struct beat_link *link)
{
	uv_mutex_lock(&beats->mutex);
	bool news = are_allowed(beats);
	link->refused = true;
	link->doubt = BEAT_FINE;
	uv_mutex_unlock(&beats->mutex);
	return news;
}

void beats_down(struct beats *beats, struct beat_link *link)
{
	uv_mutex_lock(&beats->mutex);
	link->confirmed = false;
	uv_mutex_unlock(&beats->mutex);
}

/* A beat that is old by its stamp may be late, or a clock may have been set: only one of ours tells,
 * so it must not keep us from publishing. */
uint64_t beats_heard(
	struct beats *beats, struct beat_link *link, uint64_t mark, uint64_t lag_ns, uint64_t now)
{
	uv_mutex_lock(&beats->mutex);
	uint64_t number = know(beats, mark, now), sent = known_at(beats, number - 1)->sent;
	uint64_t lag = sent ? age(beats, sent, now) : lag_ns;
	link->seen = MAX(link->seen, number);
	link->heard = beats->proven = now;
	link->lag = lag;
	link->measured = sent != 0;
	link->doubt = BEAT_FINE;
	if (lag <= BEATS_OLD_MS * MS)
		wait_again(beats, now);
	uv_mutex_unlock(&beats->mutex);
	return lag;
}

void beats_answered(struct beats *beats, struct beat_link *link, uint64_t sent)
{
	uv_mutex_lock(&beats->mutex);
	link->answered = sent;
	uv_mutex_unlock(&beats->mutex);
}

/* ---- publishing ---- */

static bool is_due(const struct beats *beats, uint64_t now)
{
	bool any = false;
	LIST_EACH (node, &beats->links)
		any = any || container_of(node, struct beat_link, node)->confirmed;
	return any && now >= beats->due && now >= beats->denied_until;
}

bool beats_take(struct beats *beats, uint64_t now, uint64_t *ret_mark)
{
	uv_mutex_lock(&beats->mutex);
	bool due = is_due(beats, now);
	if (due) {
		random_bytes(ret_mark, sizeof(*ret_mark));
		*ret_mark >>= 64 - BEAT_MARK_BITS;
		beats->own[beats->n_own++ % BEATS_OWN_MAX] =
			(struct beat_own){ .mark = *ret_mark, .sent = now };
		wait_again(beats, now);
	}
	uv_mutex_unlock(&beats->mutex);
	return due;
}

/* The links that the server must have had when it executed the PUBLISH. */
static uint64_t count_links(const struct beats *beats, uint64_t sent)
{
	uint64_t n = 0;
	LIST_EACH (node, &beats->links) {
		const struct beat_link *link = container_of(node, struct beat_link, node);
		n += link->confirmed && link->since < sent;
	}
	return n;
}

void beats_accepted(struct beats *beats, uint64_t mark, uint64_t receivers, uint64_t now)
{
	uv_mutex_lock(&beats->mutex);
	struct beat_known *known = known_at(beats, know(beats, mark, now) - 1);
	known->missed = receivers < count_links(beats, known->sent);
	beats->proven = now;
	beats->denied_until = 0;
	uv_mutex_unlock(&beats->mutex);
}

bool beats_denied(struct beats *beats, uint64_t now)
{
	uv_mutex_lock(&beats->mutex);
	bool news = !beats->denied_until;
	beats->denied_until = now + BEATS_DENIED_MS * MS;
	uv_mutex_unlock(&beats->mutex);
	return news;
}

/* ---- for the process ---- */

int beats_init(struct beats *beats, uint64_t now)
{
	*beats = (struct beats){ .ticked = now, .woken = now, .proven = now };
	list_init(&beats->links);
	wait_again(beats, now);
	return uv_mutex_init(&beats->mutex);
}

void beats_finish(struct beats *beats)
{
	uv_mutex_destroy(&beats->mutex);
}

void beats_add(struct beats *beats, struct beat_link *link)
{
	uv_mutex_lock(&beats->mutex);
	list_append(&beats->links, &link->node);
	uv_mutex_unlock(&beats->mutex);
}

void beats_remove(struct beats *beats, struct beat_link *link)
{
	uv_mutex_lock(&beats->mutex);
	list_remove(&link->node);
	uv_mutex_unlock(&beats->mutex);
}
