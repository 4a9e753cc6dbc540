#include "settings.h"

#include <stdio.h>

#include "sluice/base/defs.h"

#define RULES \
	"SLUICE_CHANNELS=[" \
	"{\"match\":\"news\",\"allow\":\"session\",\"auto\":true}," \
	"{\"match\":\"user:{userId}\",\"allow\":\"session\",\"auto\":true}," \
	"{\"match\":\"team:{teams}\",\"allow\":\"session\"}," \
	"{\"match\":\"public:*\",\"allow\":\"anyone\"}]"
#define SECRETS "SLUICE_SESSION_SECRETS=[\"" SETTINGS_SECRET "\"]"
#define URL     "SLUICE_REDIS_URL=redis://sluice:password@redis:6379/2"

static char rules[] = RULES, secrets[] = SECRETS, url[] = URL, drain[] = "SLUICE_DRAIN_SECONDS=2";
/* Beats follow the real clock, and a script must run the same way each time. */
static char no_probe[] = "SLUICE_REDIS_PROBE=false";

static char compression[] = "SLUICE_COMPRESSION_ENABLED=true";
static char short_sweep[] = "SLUICE_SESSION_SWEEP=2";
static char *roomy[] = { no_probe, rules, secrets, url, drain, compression, short_sweep, NULL };

static char connections[] = "SLUICE_LIMITS_CONNECTIONS=4";
static char per_ip[] = "SLUICE_LIMITS_CONNECTIONS_PER_IP=3";
static char per_user[] = "SLUICE_LIMITS_CONNECTIONS_PER_USER=2";
static char upgrades[] = "SLUICE_LIMITS_UPGRADES_PER_SECOND=6";
static char message[] = "SLUICE_LIMITS_MESSAGE_BYTES=300";
static char queue[] = "SLUICE_LIMITS_QUEUE_BYTES=1024";
static char channels[] = "SLUICE_LIMITS_CHANNELS=3";
static char publication[] = "SLUICE_LIMITS_PUBLICATION_BYTES=500";
static char header[] = "SLUICE_LIMITS_HEADER_BYTES=700";
static char handshake[] = "SLUICE_LIMITS_HANDSHAKE_SECONDS=3";
static char half_open[] = "SLUICE_LIMITS_HALF_OPEN_PER_IP=2";
static char frames[] = "SLUICE_LIMITS_FRAMES_PER_SECOND=12";
static char fragments[] = "SLUICE_LIMITS_FRAGMENTS=4";
static char threshold[] = "SLUICE_COMPRESSION_THRESHOLD=64";
static char command[] = "SLUICE_LIMITS_COMMAND_BYTES=128";
static char commands[] = "SLUICE_LIMITS_COMMANDS_PER_SECOND=6";
static char ticket[] = "SLUICE_SESSION_TICKET=ticket:{sid}";
static char *tight[] = { no_probe, ticket, rules, secrets, url, drain, compression, threshold,
	short_sweep, connections, per_ip, per_user, upgrades, message, queue, channels, publication,
	header, handshake, half_open, frames, fragments, command, commands, NULL };

static char anyone[] = "SLUICE_SESSION_REQUIRED=false";
static char no_heartbeat[] = "SLUICE_HEARTBEAT_INTERVAL=0";
static char any_origin[] = "SLUICE_ORIGINS=[\"*\"]";
static char buffered[] = "SLUICE_LIMITS_BUFFERED_BYTES=1048576";
static char incoming[] = "SLUICE_LIMITS_INCOMING_BYTES=1048576";
static char large_queue[] = "SLUICE_LIMITS_QUEUE_BYTES=4194304";
static char no_drain[] = "SLUICE_DRAIN_SECONDS=0";
static char no_sweep[] = "SLUICE_SESSION_SWEEP=0";
static char *open_to_all[] = { no_probe, rules, secrets, url, no_drain, anyone, no_heartbeat,
	any_origin, buffered, incoming, large_queue, no_sweep, NULL };

static char team_rules[] = "SLUICE_CHANNELS=["
			   "{\"match\":\"team:{teams}\",\"allow\":\"session\",\"auto\":true},"
			   "{\"match\":\"public:*\",\"allow\":\"anyone\"}]";
static char strict_rules[] = "SLUICE_CHANNELS=[{\"match\":\"public:*\",\"allow\":\"anyone\"}]";
static char sweep[] = "SLUICE_SESSION_SWEEP=10";
static char touch[] = "SLUICE_SESSION_TOUCH=true";
static char reject[] = "SLUICE_SESSION_REJECT=close";
static char *watched[] = { no_probe, team_rules, secrets, url, drain, sweep, no_heartbeat, NULL };
static char unsigned_cookie[] = "SLUICE_SESSION_SIGNATURE=none";
static char *anybodys[] = { no_probe, unsigned_cookie, team_rules, url, drain, sweep, no_heartbeat,
	NULL };
static char expires[] = "SLUICE_SESSION_EXPIRES=expires";
static char *ending[] = { no_probe, expires, team_rules, secrets, url, drain, no_sweep,
	no_heartbeat, NULL };
static char preset_ticket[] = "SLUICE_SESSION_PRESET=ticket";
static char *ending_tickets[] = { no_probe, preset_ticket, expires, team_rules, url, drain,
	no_sweep, no_heartbeat, NULL };
static char *touched[] = { no_probe, team_rules, secrets, url, drain, sweep, touch, NULL };
static char *strict[] = { no_probe, strict_rules, secrets, url, drain, sweep, no_heartbeat, reject,
	NULL };

static char **const environments[SETTINGS_COUNT] = {
	[SETTINGS_ROOMY] = roomy,
	[SETTINGS_TIGHT] = tight,
	[SETTINGS_OPEN] = open_to_all,
	[SETTINGS_WATCHED] = watched,
	[SETTINGS_TOUCHED] = touched,
	[SETTINGS_STRICT] = strict,
	[SETTINGS_UNSIGNED] = anybodys,
	[SETTINGS_ENDING] = ending,
	[SETTINGS_ENDING_TICKETS] = ending_tickets,
};

const struct settings *settings_get(enum scripted_settings settings)
{
	static struct settings *loaded[SETTINGS_COUNT];
	const struct settings_flags flags = { 0 };
	struct buffer problems = { 0 };
	if (loaded[settings])
		return loaded[settings];
	loaded[settings] = settings_load(&flags, environments[settings], &problems);
	if (problems.len)
		fprintf(stderr, "%.*s", SLICE_ARGS(buffer_slice(&problems)));
	MUST(loaded[settings]);
	buffer_finish(&problems);
	return loaded[settings];
}
