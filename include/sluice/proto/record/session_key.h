/* Session ids, and the Redis keys that are made of them.
 *
 * A template is a key with one placeholder: {sid} for the id itself, {sid:sha256hex} for its digest
 * in hex, {sid:sha256b64url} for the digest in base64url without "=". */
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

/* 1 to 256 characters of [A-Za-z0-9_.~+/=,@!$|-]: whoever chooses such an id stays among the keys that
 * begin as the template does and have no colon after that. */
bool session_id_is_plain(struct slice sid);

/* The same, and ":". Such an id may be that of a key further down (sess:{sid} -> sess:user:7), so only
 * a backend may choose it. */
bool session_id_is_plain_or_parts(struct slice sid);

/* Is `template` valid? It contains one placeholder and no other brace. */
bool session_key_template_is_valid(struct slice template);

/* Does the key consist of the id alone? Then a peer that chooses the id can choose any key of its
 * alphabet. */
bool session_key_template_is_bare(struct slice template);

/* Do both write the id in the same way? Then a key of one can be turned into a key of the other. */
bool session_key_templates_agree(struct slice a, struct slice b);

/* Writes the Redis key of a plain id. Returns the length; -EMSGSIZE: it does not fit; -ENOMEM. */
ssize_t session_key_format(struct slice template, struct slice sid, char *key, size_t size);

/* The part of `key` where `template` has its placeholder; absent: `key` does not match the
 * template, or the part is not plain. */
struct slice session_key_id(struct slice template, struct slice key);

/* Writes the key that `to` has for the session whose key in `from` is `key`; the templates agree.
 * Returns the length; -ENOENT: `key` does not match `from`; -EMSGSIZE. */
ssize_t session_key_move(
	struct slice from, struct slice key, struct slice to, char *moved, size_t size);

#endif
