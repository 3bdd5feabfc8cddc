/**
 * A declared HTTP connection, opened: its secrets read, its pool made, its requests written.
 *
 * Lookups and webhooks call it. The secrets are in the head of every request and nowhere else.
 */
import { readFile } from "node:fs/promises"
import { Effect, Redacted, type Scope } from "effect"
import type { HttpConnection } from "../connection/Connection.ts"
import { ConnectionError } from "../connection/ConnectionError.ts"
import { readSecret } from "../connection/Secret.ts"
import type { HttpError } from "./HttpError.ts"
import { makeHttpPool } from "./HttpPool.ts"
import type { HttpResponse } from "./ResponseReader.ts"

export interface HttpTargetOptions {
  readonly name: string
  readonly connection: HttpConnection
  /** Below the connection's url, such as `/v1/score`. */
  readonly path: string
  readonly bodyBytesMax: number
}

export interface HttpTarget {
  /** Posts JSON; `headers` are lines without their ends. */
  readonly post: (json: string, headers?: ReadonlyArray<string>) => Effect.Effect<HttpResponse, HttpError>
  readonly socketsOpen: () => number
}

const socketsMaxDefault = 1_024

const authorization = Effect.fnUntraced(function* (name: string, { auth }: HttpConnection) {
  if (auth === undefined) return []
  if ("bearer" in auth) {
    return [`authorization: Bearer ${Redacted.value(yield* readSecret(name, auth.bearer))}`]
  }
  if ("basic" in auth) {
    const password = Redacted.value(yield* readSecret(name, auth.basic.password))
    return [`authorization: Basic ${Buffer.from(`${auth.basic.user}:${password}`).toString("base64")}`]
  }
  return [`${auth.header}: ${Redacted.value(yield* readSecret(name, auth.value))}`]
})

const readPem = (name: string, path: string | undefined): Effect.Effect<string | undefined, ConnectionError> =>
  path === undefined
    ? Effect.succeed(undefined)
    : Effect.tryPromise({
        try: () => readFile(path, "utf8"),
        catch: () =>
          new ConnectionError({ reason: "Invalid", message: `connection "${name}": its file ${path} cannot be read` })
      })

const openTls = Effect.fnUntraced(function* (name: string, { tls }: HttpConnection) {
  return {
    serverName: tls?.server_name,
    ca: yield* readPem(name, tls?.ca),
    certificate: yield* readPem(name, tls?.certificate),
    key: tls?.key === undefined ? undefined : Redacted.value(yield* readSecret(name, tls.key))
  }
})

export const openHttpTarget = Effect.fnUntraced(function* (
  options: HttpTargetOptions
): Effect.fn.Return<HttpTarget, ConnectionError, Scope.Scope> {
  const { connection, name } = options
  const url = new URL(connection.url)
  const secure = url.protocol === "https:"
  const secrets = yield* authorization(name, connection)
  if (secrets.some((line) => /[\r\n]/.test(line))) {
    const message = `connection "${name}": its secret holds a line end, which no header can`
    return yield* new ConnectionError({ reason: "Invalid", message })
  }
  const pool = yield* makeHttpPool({
    name,
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? (secure ? 443 : 80) : Number(url.port),
    tls: secure ? yield* openTls(name, connection) : undefined,
    socketsMax: connection.pool ?? socketsMaxDefault,
    bodyBytesMax: options.bodyBytesMax
  })
  const path = `${url.pathname.replace(/\/$/, "")}${options.path}`
  const lines = [
    `POST ${path === "" ? "/" : path}${url.search} HTTP/1.1`,
    `host: ${url.host}`,
    "content-type: application/json",
    "accept: application/json",
    ...secrets
  ]
  const head = `${lines.join("\r\n")}\r\ncontent-length: `
  return {
    post: (json, headers = []) => {
      const more = headers.length === 0 ? "" : `\r\n${headers.join("\r\n")}`
      return pool.call(`${head}${Buffer.byteLength(json)}${more}\r\n\r\n${json}`)
    },
    socketsOpen: pool.socketsOpen
  }
})
