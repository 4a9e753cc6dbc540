#include "sluice/proto/text/date_time.h"

enum { DAY_MS = 86400000, HOUR_MS = 3600000, MINUTE_MS = 60000, SECOND_MS = 1000 };

/* Takes exactly `n` digits, a number from `min` to `max`. */
static bool take_number(struct slice *rest, size_t n, int min, int max, int *number)
{
	uint64_t value;
	if (rest->len < n || !slice_number(slice_make(rest->at, n), (uint64_t)max, &value))
		return false;
	*rest = slice_skip(*rest, n);
	*number = (int)value;
	return *number >= min;
}

static int days_of_month(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return days[month - 1] + (month == 2 && leap);
}

/* Years are counted from March, so that a leap day is the last day of its year. */
static int64_t days_since_1970(int year, int month, int day)
{
	int64_t y = year - (month <= 2) + 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	return y * 365 + y / 4 - y / 100 + y / 400 + day_of_year - 719468 - 146097;
}

static bool take_date(struct slice *rest, int64_t *ms)
{
	int year, month, day;
	if (!take_number(rest, 4, 0, 9999, &year) || !slice_take_char(rest, '-') ||
		!take_number(rest, 2, 1, 12, &month) || !slice_take_char(rest, '-') ||
		!take_number(rest, 2, 1, days_of_month(year, month), &day))
		return false;
	*ms = days_since_1970(year, month, day) * DAY_MS;
	return true;
}

/* Of a second, rounded down to milliseconds. */
static bool take_fraction(struct slice *rest, int64_t *ms)
{
	int digit, unit = 100;
	if (!take_number(rest, 1, 0, 9, &digit))
		return false;
	do {
		*ms += (int64_t)digit * unit;
		unit /= 10;
	} while (rest->len && rest->at[0] >= '0' && rest->at[0] <= '9' &&
		 take_number(rest, 1, 0, 9, &digit));
	return true;
}

static bool take_time(struct slice *rest, int64_t *ms)
{
	int hour, minute, second;
	if (!take_number(rest, 2, 0, 23, &hour) || !slice_take_char(rest, ':') ||
		!take_number(rest, 2, 0, 59, &minute))
		return false;
	*ms += (int64_t)hour * HOUR_MS + (int64_t)minute * MINUTE_MS;
	if (!slice_take_char(rest, ':'))
		return true;
	if (!take_number(rest, 2, 0, 60, &second)) /* 60: RFC 3339 §5.6 */
		return false;
	*ms += (int64_t)second * SECOND_MS;
	return !slice_take_char(rest, '.') || take_fraction(rest, ms);
}

static bool take_zone(struct slice *rest, int64_t *ms)
{
	int hour, minute;
	if (slice_take_char(rest, 'Z') || rest->len == 0)
		return true;
	bool east = slice_take_char(rest, '+');
	if (!east && !slice_take_char(rest, '-'))
		return false;
	if (!take_number(rest, 2, 0, 23, &hour))
		return false;
	slice_take_char(rest, ':');
	if (!take_number(rest, 2, 0, 59, &minute))
		return false;
	int64_t offset = (int64_t)hour * HOUR_MS + (int64_t)minute * MINUTE_MS;
	*ms -= east ? offset : -offset;
	return true;
}

bool date_time_parse(struct slice text, int64_t *ret_ms_since_1970)
{
	int64_t ms;
	if (!take_date(&text, &ms))
		return false;
	if (text.len && !((slice_take_char(&text, 'T') || slice_take_char(&text, ' ')) &&
				take_time(&text, &ms) && take_zone(&text, &ms)))
		return false;
	*ret_ms_since_1970 = ms;
	return text.len == 0;
}
