#include "sluice/redis/reply.h"

struct slice reply_text(const struct redisReply *reply)
{
	if (reply && (reply->type == REDIS_REPLY_STATUS || reply->type == REDIS_REPLY_STRING ||
			     reply->type == REDIS_REPLY_ERROR))
		return slice_make(reply->str, (size_t)reply->len);
	return (struct slice){ NULL, 0 };
}

struct slice reply_before_quote(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (strchr("'`\"", text.at[i]))
			text.len = i;
	return text;
}

struct slice reply_error_reason(const struct redisReply *reply)
{
	struct slice text = reply_text(reply);
	return slice_starts_with(text, SLICE("NOPERM ")) ? text : reply_before_quote(text);
}
