#include "sessions_internal.h"
#include "sluice/base/log.h"

static void on_touched(void *context, const struct redisReply *reply)
{
	struct sessions *sessions = context;
	if (reply && reply->type == REDIS_REPLY_ERROR &&
		sessions_may_log(sessions, &sessions->touch_failure_logged))
		log_warn("redis refuses EXPIRE, which session.touch needs",
			log_slice("reason", reply_error_reason(reply)));
}

void sessions_touch(struct sessions *sessions, struct session_member *member)
{
	const struct settings *settings = sessions->setup.settings;
	struct session *session = member->session;
	uint32_t now = (uint32_t)sessions_now(sessions);
	if (!session || !settings->session.touch || now - session->touched_at < SESSION_TOUCH_MS)
		return;
	char seconds[16];
	snprintf(seconds, sizeof(seconds), "%u", (settings->session.ttl_ms + 999) / 1000);
	const struct slice words[] = { SLICE("EXPIRE"), session_key(session), slice_of(seconds) };
	/* If the command cannot be sent now, the next pong tries again. */
	if (redis_link_command(
		    sessions->setup.link, words, COUNT_OF(words), on_touched, sessions) == 0)
		session->touched_at = now;
}
