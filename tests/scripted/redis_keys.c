#include "redis_keys.h"

#include <stdlib.h>
#include <string.h>

#include "allocations.h"

struct reader {
	struct list link;
	unsigned number;
};

static struct redis_key *of_name(struct table_key *name)
{
	return name ? container_of(name, struct redis_key, name) : NULL;
}

struct redis_key *redis_keys_get(struct redis_keys *keys, struct slice name)
{
	struct redis_key *key = of_name(table_find(&keys->all, name));
	if (key)
		return key;
	MUST(name.len <= REDIS_KEY_MAX);
	key = calloc(1, sizeof(*key) + name.len);
	MUST(key && table_add(&keys->all, &key->name, name) == 0);
	list_init(&key->readers);
	return key;
}

void redis_keys_begin(struct redis_keys *keys, const struct redis_record *records)
{
	*keys = (struct redis_keys){ 0 };
	allocations_spare();
	for (; records->key; records++)
		redis_key_set(redis_keys_get(keys, slice_of(records->key)), records);
	allocations_resume();
}

void redis_keys_flush(struct redis_keys *keys)
{
	TABLE_EACH (name, &keys->all) {
		struct redis_key *key = of_name(name);
		redis_key_set(key, &(struct redis_record){ 0 });
		while (redis_key_pop_reader(key))
			;
	}
}

void redis_keys_end(struct redis_keys *keys)
{
	redis_keys_flush(keys);
	TABLE_EACH (name, &keys->all) {
		table_remove(&keys->all, name);
		free(of_name(name));
	}
}

void redis_key_set(struct redis_key *key, const struct redis_record *record)
{
	size_t size = record->value ? strlen(record->value) + 1 : 0;
	free(key->value);
	key->value = size ? malloc(size) : NULL;
	MUST(key->value || !size);
	if (size)
		memcpy(key->value, record->value, size);
	key->error = record->error;
}

size_t redis_keys_tracked(const struct redis_keys *keys)
{
	size_t n = 0;
	TABLE_EACH (name, &keys->all)
		n += !list_is_empty(&of_name(name)->readers);
	return n;
}

void redis_key_add_reader(struct redis_key *key, unsigned number)
{
	LIST_EACH (node, &key->readers) {
		if (container_of(node, struct reader, link)->number == number)
			return;
	}
	struct reader *reader = malloc(sizeof(*reader));
	MUST(reader);
	*reader = (struct reader){ .number = number };
	list_append(&key->readers, &reader->link);
}

unsigned redis_key_pop_reader(struct redis_key *key)
{
	struct list *node = list_pop(&key->readers);
	if (!node)
		return 0;
	struct reader *reader = container_of(node, struct reader, link);
	unsigned number = reader->number;
	free(reader);
	return number;
}
