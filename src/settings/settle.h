/* The last step of loading: what can only be decided when every source has given its values. */
#ifndef SLUICE_SETTINGS_SETTLE_H
#define SLUICE_SETTINGS_SETTLE_H

#include "draft.h"

/* Fills in the preset's values, reads the files with secrets, and checks what settings require of
 * each other. `config`: the configuration file, or NULL; for messages. */
void settle(struct draft *draft, const char *config);

#endif
