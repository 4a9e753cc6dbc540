/* Session ids, and the Redis keys that they lead to.
 *
 * A template is the key with one placeholder for the id: {sid} itself, {sid:sha256hex} its digest in
 * hex, {sid:sha256b64url} the same in base64url without "=". */
#ifndef SLUICE_PROTO_RECORD_SESSION_KEY_H
#define SLUICE_PROTO_RECORD_SESSION_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "sluice/base/slice.h"

enum {
	SESSION_ID_MAX = 256,
	SESSION_KEY_MAX = 1024,
};

/* 1 to 256 of [A-Za-z0-9_.~+/=-]: nothing else gets into a key. */
bool session_id_is_plain(struct slice sid);

/* Is `template` a key template? It holds one placeholder, and no other brace. */
bool session_key_template_is_valid(struct slice template);

/* Is the id all that the key consists of? Then whoever chooses the id chooses any key of its alphabet. */
bool session_key_template_is_bare(struct slice template);

/* Do both write the id in the same way? Then a key of one can be made to one of the other. */
bool session_key_templates_agree(struct slice a, struct slice b);

/* Writes the Redis key of a plain id. Gives the length; -EMSGSIZE: it does not fit; -ENOMEM. */
ssize_t session_key_format(struct slice template, struct slice sid, char *key, size_t size);

/* What stands in `key` where `template` has its placeholder, if it is plain; absent: the key is not
 * one of this template. */
struct slice session_key_id(struct slice template, struct slice key);

/* Writes the key that `to` makes for the session whose key `from` has made; the templates agree.
 * Gives the length; -ENOENT: `key` is not one of `from`; -EMSGSIZE. */
ssize_t session_key_move(
	struct slice from, struct slice key, struct slice to, char *moved, size_t size);

#endif
