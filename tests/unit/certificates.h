/* Certificates for tests. openssl(1) makes them in a temporary folder, so that the repository holds
 * no key.
 *
 *	ca.pem      the authority that clients trust
 *	name.pem    for sluice.test and *.wild.test		(name.key)
 *	ip.pem      for 127.0.0.1 and ::1, RSA			(ip.key)
 *	trick.pem   names "127.0.0.1" as a DNS name and as CN	(trick.key)
 *	expired.pem was for sluice.test				(expired.key)
 *	other.pem   for sluice.test, signed by other-ca.pem	(other.key) */
#ifndef SLUICE_TESTS_CERTIFICATES_H
#define SLUICE_TESTS_CERTIFICATES_H

#include <stdio.h>
#include <stdlib.h>

#include "unit.h"

static char certificates_folder[] = "/tmp/sluice-test-XXXXXX";

/* The file's path, in one of four buffers. */
static inline const char *certificate(const char *name)
{
	static char paths[4][96];
	static size_t next;
	char *path = paths[next++ % 4];
	snprintf(path, sizeof(paths[0]), "%s/%s", certificates_folder, name);
	return path;
}

static inline int certificates_make(void **state)
{
	static const char script[] =
		"cd %s && exec 2>log || exit 1\n"
		"printf '[req]\\ndistinguished_name=dn\\n[dn]\\n[ca]\\ndefault_ca=old\\n[old]\\n' "
		">conf\n"
		"printf 'database=index\\nnew_certs_dir=.\\nrand_serial=yes\\npolicy=any\\n' "
		">>conf\n"
		"printf 'default_md=sha256\\n[any]\\ncommonName=supplied\\n' >>conf\n"
		"EC='-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -days 2'\n"
		"make() { name=$1; shift; openssl req -config conf -x509 -nodes \\\n"
		"	-keyout $name.key -out $name.pem \"$@\" || exit 1; }\n"
		"CA='-addext basicConstraints=critical,CA:TRUE'\n"
		"make ca -subj /CN=ca $EC $CA\n"
		"make other-ca -subj /CN=other-ca $EC $CA\n"
		"BY='-CA ca.pem -CAkey ca.key'\n"
		"make name -subj /CN=name $EC $BY -addext "
		"subjectAltName=DNS:sluice.test,DNS:*.wild.test\n"
		"make ip -subj /CN=ip -newkey rsa:2048 -days 2 $BY -addext "
		"subjectAltName=IP:127.0.0.1,IP:::1\n"
		"make trick -subj /CN=127.0.0.1 $EC $BY -addext "
		"subjectAltName=DNS:127.0.0.1,DNS:*.0.0.1\n"
		"make other -subj /CN=other $EC -CA other-ca.pem -CAkey other-ca.key \\\n"
		"	-addext subjectAltName=DNS:sluice.test\n"
		"openssl req -config conf -new -key name.key -subj /CN=old -out old.csr || exit 1\n"
		"echo subjectAltName=DNS:sluice.test >ext\n"
		"touch index && openssl ca -config conf -batch -notext -in old.csr -out "
		"expired.pem \\\n"
		"	-cert ca.pem -keyfile ca.key -extfile ext \\\n"
		"	-startdate 200101000000Z -enddate 200102000000Z || exit 1\n"
		"cp name.key expired.key && echo nonsense >nonsense.pem\n";
	char command[sizeof(script) + sizeof(certificates_folder)];
	(void)state;
	if (!mkdtemp(certificates_folder))
		return -1;
	snprintf(command, sizeof(command), script, certificates_folder);
	if (system(command) == 0)
		return 0;
	print_error("openssl failed, see %s/log\n", certificates_folder);
	return -1;
}

static inline int certificates_remove(void **state)
{
	char command[sizeof(certificates_folder) + 16];
	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", certificates_folder);
	return system(command) == 0 ? 0 : -1;
}

#endif
