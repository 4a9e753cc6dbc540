/* A secret of the configuration: it stands for itself, or names the file that holds it. */
#ifndef SLUICE_SETTINGS_GIVEN_SECRET_H
#define SLUICE_SETTINGS_GIVEN_SECRET_H

#include "draft.h"

struct secret {
	struct draft *draft;
	struct place place;          /* where it was given */
	char name[SETTING_NAME_MAX]; /* for messages: "session.secrets[0]" */
};

/* The secret itself; it lives as long as the settings. What is wrong becomes a problem. */
struct slice secret_take(const struct secret *secret, struct slice string);

/* The path of the file that `string` names; NULL: it is the secret itself. */
const char *secret_path(struct slice string);

/* Adds a problem. */
void secret_refuse(const struct secret *secret, const char *problem);

#endif
