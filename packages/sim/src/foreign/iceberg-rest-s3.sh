#!/usr/bin/env bash
# Java's REST catalog whose metadata files lie on S3: the shared script's server, with Iceberg's S3 files beside its jars.
#   FRAZIL_INFRA=<folder of the shared scripts> iceberg-rest-s3.sh up | down | status | wipe
set -euo pipefail
: "${FRAZIL_INFRA:?the folder of scripts that start servers}" "${ICEBERG_VERSION:=1.11.0}"
if [ "${1:-}" = up ]; then
  (
    # shellcheck source=/dev/null
    . "$FRAZIL_INFRA/_common.sh"
    mvn_lib "iceberg-aws-$ICEBERG_VERSION" "=org.apache.iceberg:iceberg-aws:$ICEBERG_VERSION" \
      "=org.apache.iceberg:iceberg-aws-bundle:$ICEBERG_VERSION" "=dev.failsafe:failsafe:3.3.2"
    rest="$INFRA_CACHE/iceberg-rest-$ICEBERG_VERSION" lib="$rest/lib"
    # the shared script fetches its jars by starting once; without our properties, which need files that are not there yet
    (
      flock 9
      [ -f "$rest/.ok" ] && exit 0
      export ICEBERG_REST_NAME=iceberg-rest-jars ICEBERG_REST_PORT=8299 ICEBERG_REST_PROPS=
      unset ICEBERG_WAREHOUSE ICEBERG_DB
      bash "$FRAZIL_INFRA/iceberg-rest.sh" up
      bash "$FRAZIL_INFRA/iceberg-rest.sh" wipe
    ) 9>"$INFRA_CACHE/iceberg-rest-s3.lock"
    for jar in "$INFRA_CACHE/iceberg-aws-$ICEBERG_VERSION"/lib/*.jar; do ln -sf "$jar" "$lib/"; done
  ) >&2
fi
exec bash "$FRAZIL_INFRA/iceberg-rest.sh" "$@"
