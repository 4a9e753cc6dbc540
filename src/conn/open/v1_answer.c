#include "sluice/conn/open/v1_answer.h"

#include "sluice/conn/open/open.h"
#include "sluice/proto/envelope.h"

void v1_answer(struct conn *conn, const char *type, struct slice id, struct slice channel,
	const char *reason)
{
	struct buffer text = { 0 };
	int error = open_text_begin(&text);
	if (!error)
		error = envelope_answer(&text, type, id, channel, reason);
	open_send_text(conn, &text, error);
}

void v1_error(struct conn *conn, struct slice id, const char *code, const char *message)
{
	struct buffer text = { 0 };
	int error = open_text_begin(&text);
	if (!error)
		error = envelope_error(&text, id, code, message);
	open_send_text(conn, &text, error);
}
