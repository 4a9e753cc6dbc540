#include "sluice/base/buffered.h"

atomic_size_t buffered_total;
