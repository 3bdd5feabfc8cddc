/** Certificates are verified: whom nobody vouches for, or who has another name, is not talked to. */
import { createServer, type Server } from "node:https"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { makeHttpPool } from "../../src/http/HttpPool.ts"
import { certificate, certificateKey } from "./TestCertificate.ts"

let received = 0
const serveTls = Effect.map(
  Effect.acquireRelease(
    Effect.callback<Server>((resume) => {
      const server = createServer({ cert: certificate, key: certificateKey }, (_, response) => {
        received++
        response.end("sound")
      })
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) => Effect.sync(() => server.closeAllConnections())
  ),
  (server) => {
    const address = server.address()
    assert(address !== null && typeof address === "object")
    return address.port
  }
)

const call = Effect.fnUntraced(function* (ca: string | undefined, serverName: string | undefined) {
  const pool = yield* makeHttpPool({
    name: "bureau",
    host: "127.0.0.1",
    port: yield* serveTls,
    tls: { serverName, ca, certificate: undefined, key: undefined },
    socketsMax: 2,
    bodyBytesMax: 100
  })
  return yield* pool.call("GET / HTTP/1.1\r\nhost: bureau.test\r\n\r\n")
}, Effect.scoped)

describe("calls over TLS", () => {
  it.live("reach whom the declared authority vouches for under the declared name", () =>
    Effect.gen(function* () {
      const { body, status } = yield* call(certificate, "bureau.test")
      assert.deepStrictEqual([status, new TextDecoder().decode(body)], [200, "sound"])
    })
  )

  it.live("send nothing to anybody else", () =>
    Effect.gen(function* () {
      received = 0
      for (const [ca, name] of [
        [undefined, "bureau.test"],
        [certificate, "other.test"],
        [certificate, undefined]
      ] as const) {
        const error = yield* Effect.flip(call(ca, name))
        assert.strictEqual(error.reason, "Untrusted", `${error.message}, ${name}`)
        assert.match(error.message, /^connection "bureau": its certificate is not to be trusted \([A-Z_]+\)$/)
      }
      assert.strictEqual(received, 0)
    })
  )
})
