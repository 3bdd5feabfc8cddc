/** Databases, catalogs and object stores for integration tests. */
import { join } from "node:path"
import { Effect, type Scope } from "effect"
import { type Server, server } from "./Server.ts"

export type { Server }

export const postgresServer = (port: number): Effect.Effect<Server, never, Scope.Scope> =>
  server("postgres.sh", `postgres://lab@127.0.0.1:${port}/postgres`, {
    PG_NAME: `postgres-it-${port}`,
    PG_PORT: String(port)
  })

export const redisServer = (port: number): Effect.Effect<Server, never, Scope.Scope> =>
  server("redis.sh", `redis://127.0.0.1:${port}`, { REDIS_NAME: `redis-it-${port}`, REDIS_PORT: String(port) })

/** Java's REST catalog; new tables lie below `folder` unless they say where. */
export const restServer = (port: number, folder: string): Effect.Effect<Server, never, Scope.Scope> =>
  server("iceberg-rest.sh", `http://127.0.0.1:${port}`, {
    ICEBERG_REST_NAME: `iceberg-rest-it-${port}`,
    ICEBERG_REST_PORT: String(port),
    ICEBERG_WAREHOUSE: `${folder}/warehouse`,
    ICEBERG_DB: `${folder}/rest-catalog.db`
  })

/** Trino on the tables of a `restServer`: a Java machine of a gigabyte, which takes half a minute to start. */
export const trinoServer = (port: number, restPort: number): Effect.Effect<Server, never, Scope.Scope> =>
  server("trino.sh", `http://127.0.0.1:${port}`, {
    TRINO_NAME: `trino-it-${port}`,
    TRINO_PORT: String(port),
    ICEBERG_REST_PORT: String(restPort)
  })

export const s3Keys = { accessKeyId: "labaccess", secretAccessKey: "labsecret123", region: "us-east-1" } as const

/** An object store with the given bucket; its keys are `s3Keys`. */
export const s3Server = (port: number, bucket: string): Effect.Effect<Server, never, Scope.Scope> =>
  Effect.tap(
    server("s3.sh", `http://127.0.0.1:${port}`, {
      S3_NAME: `s3-it-${port}`,
      S3_PORT: String(port),
      S3_ACCESS: s3Keys.accessKeyId,
      S3_SECRET: s3Keys.secretAccessKey,
      S3_REGION: s3Keys.region
    }),
    ({ run }) => run("mb", bucket)
  )

/** Java's REST catalog whose metadata files lie in the store of an `s3Server`. */
export const restServerOnS3 = (
  port: number,
  folder: string,
  store: Server,
  warehouse: string
): Effect.Effect<Server, never, Scope.Scope> =>
  server(join(import.meta.dirname, "iceberg-rest-s3.sh"), `http://127.0.0.1:${port}`, {
    ICEBERG_REST_NAME: `iceberg-rest-it-${port}`,
    ICEBERG_REST_PORT: String(port),
    ICEBERG_WAREHOUSE: `${folder}/unused`,
    ICEBERG_DB: `${folder}/rest-catalog.db`,
    ICEBERG_REST_PROPS: [
      "io-impl=org.apache.iceberg.aws.s3.S3FileIO",
      `warehouse=${warehouse}`,
      `s3.endpoint=${store.url}`,
      "s3.path-style-access=true",
      `s3.access-key-id=${s3Keys.accessKeyId}`,
      `s3.secret-access-key=${s3Keys.secretAccessKey}`,
      `client.region=${s3Keys.region}`
    ].join(" ")
  })
