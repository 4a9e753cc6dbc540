/* The version is a part of the bytes that are signed, so a later version can have other fields under
 * the same secrets. The comparison of tags takes the same time for every tag; a publisher learns
 * nothing by trying. */
#include "sluice/proto/beat.h"

#include <errno.h>
#include <string.h>

enum {
	TAG_BYTES = 16,
	SIGNED_BYTES = BEAT_BYTES - TAG_BYTES,
	HEAD_BYTES = 3,
	NUMBER_BYTES = 8,
};

static const char head[HEAD_BYTES] = { 'S', '1', 'B' };

static void put(char *bytes, uint64_t number)
{
	for (size_t i = 0; i < NUMBER_BYTES; i++)
		bytes[i] = (char)(number >> (8 * (NUMBER_BYTES - 1 - i)) & 0xff);
}

static uint64_t get(const char *bytes)
{
	uint64_t number = 0;
	for (size_t i = 0; i < NUMBER_BYTES; i++)
		number = number << 8 | (uint8_t)bytes[i];
	return number;
}

static int make_tag(const uint8_t key[DIGEST_SHA256_BYTES], struct slice channel, const char *bytes,
	struct digest *ret_tag)
{
	char text[BEAT_CHANNEL_MAX + SIGNED_BYTES];
	MUST(channel.len <= BEAT_CHANNEL_MAX);
	memcpy(text, channel.at, channel.len);
	memcpy(text + channel.len, bytes, SIGNED_BYTES);
	return digest_make_keyed(DIGEST_SHA256, slice_make((const char *)key, DIGEST_SHA256_BYTES),
		slice_make(text, channel.len + SIGNED_BYTES), ret_tag);
}

int beat_keys_make(struct beat_keys *ret_keys, const struct slice *secrets, size_t n)
{
	const struct slice nothing = SLICE("");
	struct digest key;
	ret_keys->n = 0;
	if (n == 0) {
		secrets = &nothing;
		n = 1;
	}
	for (size_t i = 0; i < MIN(n, (size_t)BEAT_SECRETS_MAX); i++) {
		int error = digest_make_keyed(
			DIGEST_SHA256, secrets[i], SLICE("sluice replay 1"), &key);
		if (error)
			return error;
		memcpy(ret_keys->keys[ret_keys->n++], key.bytes, DIGEST_SHA256_BYTES);
	}
	return 0;
}

int beat_write(const struct beat *beat, const struct beat_keys *keys, struct slice channel,
	char bytes[BEAT_BYTES])
{
	struct digest tag;
	MUST(keys->n > 0 && beat->mark >> BEAT_MARK_BITS == 0);
	memcpy(bytes, head, HEAD_BYTES);
	put(bytes + HEAD_BYTES, beat->mark);
	put(bytes + HEAD_BYTES + NUMBER_BYTES, beat->run_id);
	put(bytes + HEAD_BYTES + 2 * NUMBER_BYTES, beat->stamp);
	int error = make_tag(keys->keys[0], channel, bytes, &tag);
	if (!error)
		memcpy(bytes + SIGNED_BYTES, tag.bytes, TAG_BYTES);
	return error;
}

/* 0; -EBADMSG: none of the keys has signed it; -ENOMEM. */
static int verify(const struct beat_keys *keys, struct slice channel, const char *bytes)
{
	struct digest tag;
	for (size_t i = 0; i < keys->n; i++) {
		int error = make_tag(keys->keys[i], channel, bytes, &tag);
		if (error)
			return error;
		if (digest_texts_are_equal(
			    (const char *)tag.bytes, bytes + SIGNED_BYTES, TAG_BYTES))
			return 0;
	}
	return -EBADMSG;
}

int beat_read(struct beat *ret_beat, const struct beat_keys *keys, struct slice channel,
	struct slice message)
{
	if (message.len != BEAT_BYTES || memcmp(message.at, head, HEAD_BYTES) != 0)
		return -EBADMSG;
	int error = verify(keys, channel, message.at);
	if (error)
		return error;
	*ret_beat = (struct beat){
		.mark = get(message.at + HEAD_BYTES),
		.run_id = get(message.at + HEAD_BYTES + NUMBER_BYTES),
		.stamp = get(message.at + HEAD_BYTES + 2 * NUMBER_BYTES),
	};
	return ret_beat->mark >> BEAT_MARK_BITS == 0 ? 0 : -EBADMSG;
}
