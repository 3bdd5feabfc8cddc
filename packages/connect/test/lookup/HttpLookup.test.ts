/** The bureau asked over real sockets: what each of its moods becomes, and that nobody's number is in a message. */
import { createServer, type Server, type Socket } from "node:net"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Result } from "effect"
import { Bureau, bureauFailures, BureauWire } from "@frazil/flows"
import { type Behaviour, type RunningBureau, serveBureau } from "@frazil/sim"
import type { HttpConnection } from "../../src/connection/Connection.ts"
import { openHttpLookup } from "../../src/index.ts"

const ssn = "123456780"
const fast = { delayMsMin: 1, delayMsMax: 2 }

const lookupOf = (url: string, more: Partial<HttpConnection> = {}) =>
  openHttpLookup({
    name: "bureau",
    connection: { kind: "http", url, ...more },
    path: "/v1/score",
    request: (key: string) => ({ ssn: key }),
    wire: BureauWire,
    answer: (wire, key) => (wire.ssn === key ? { score: wire.score } : undefined),
    failures: bureauFailures
  })

const open = Effect.fnUntraced(function* (behaviour: Partial<Behaviour> = {}, more: Partial<HttpConnection> = {}) {
  const running = yield* serveBureau({ port: 0, seed: 1, behaviour: { ...fast, ...behaviour } })
  const { lookup } = yield* lookupOf(running.address, more)
  return { ...running, lookup }
})

const behave = ({ bureau }: RunningBureau, change: Partial<Behaviour>) =>
  bureau.behave({ ...bureau.behaviour(), ...change })

describe("a lookup over HTTP", () => {
  it.live("answers many at a time on few sockets, each its own", () =>
    Effect.gen(function* () {
      const { bureau, lookup } = yield* open({}, { pool: 20 })
      const numbers = Array.from({ length: 500 }, (_, n) => String(100_000_000 + n * 7))
      const answers = yield* Effect.forEach(numbers, lookup, { concurrency: "unbounded" })
      for (const [index, { score }] of answers.entries()) {
        if (numbers[index]!.endsWith("9")) assert.strictEqual(score, 450)
        else assert.isTrue(score >= 300 && score <= 850)
      }
      assert.deepInclude(bureau.counts(), { calls: 500, scored: 500, inFlight: 0 })
      assert.isAtMost(bureau.counts().inFlightMax, 20)
    })
  )

  it.live("serves a flow's service as its layer", () =>
    Effect.gen(function* () {
      const { address } = yield* serveBureau({ port: 0, seed: 1, behaviour: fast })
      const { score } = yield* Bureau.use(({ lookup }) => lookup("123456789")).pipe(
        Effect.provide(Layer.effect(Bureau, lookupOf(address)))
      )
      assert.strictEqual(score, 450)
    })
  )

  it.live("turns each mood of the bureau into its failure", () =>
    Effect.gen(function* () {
      const running = yield* open()
      const moods: ReadonlyArray<readonly [Partial<Behaviour>, object]> = [
        [{ answer: "html" }, { _tag: "BureauInvalidAnswer" }],
        [{ answer: "text" }, { _tag: "BureauInvalidAnswer" }],
        [{ answer: "garbled" }, { _tag: "BureauInvalidAnswer" }],
        [{ answer: "huge" }, { _tag: "BureauInvalidAnswer" }],
        [{ answer: "refused" }, { _tag: "BureauRejected" }],
        [
          { answer: "score", failRate: 1 },
          { _tag: "BureauUnavailable", overloaded: false }
        ],
        [
          { failRate: 0, concurrency: 1, hangRate: 1 },
          { _tag: "BureauUnavailable", overloaded: true }
        ]
      ]
      for (const [mood, expected] of moods) {
        behave(running, mood)
        const hung = mood.hangRate === 1 ? yield* Effect.forkChild(running.lookup(ssn)) : undefined
        while (hung !== undefined && running.bureau.counts().inFlight === 0) yield* Effect.sleep(1)
        const failure = yield* Effect.flip(running.lookup(ssn))
        assert.deepInclude(failure, expected)
        assert.notInclude(failure.message, ssn)
        if (hung !== undefined) yield* Fiber.interrupt(hung)
      }
      behave(running, { concurrency: null, hangRate: 0, limitPerSecond: 1 })
      yield* running.lookup(ssn)
      const limited = yield* Effect.flip(running.lookup(ssn))
      assert.deepInclude(limited, { _tag: "BureauUnavailable", overloaded: true, retryAfterMs: 1_000 })
    })
  )

  it.live("refuses another applicant's answer", () =>
    Effect.gen(function* () {
      const body = `{"ssn":"999999999","score":700}`
      const url = yield* serveText(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`)
      const { lookup } = yield* lookupOf(url)
      assert.strictEqual((yield* Effect.flip(lookup(ssn)))._tag, "BureauInvalidAnswer")
    })
  )

  it.live("lets go of a call that is interrupted, and of nothing else", () =>
    Effect.gen(function* () {
      const running = yield* open({ hangRate: 1 }, { pool: 1 })
      const hung = yield* Effect.forkChild(running.lookup(ssn))
      while (running.bureau.counts().inFlight === 0) yield* Effect.sleep(1)
      // waits for the only socket
      const waiting = yield* Effect.forkChild(running.lookup(ssn), { startImmediately: true })
      behave(running, { hangRate: 0 })
      yield* Fiber.interrupt(hung)
      assert.isNumber((yield* Fiber.join(waiting)).score)
      while (running.bureau.counts().inFlight > 0) yield* Effect.sleep(1)
    })
  )

  it.live("asks again when a kept connection was closed meanwhile, and reports one that nobody answers", () =>
    Effect.gen(function* () {
      let connections = 0
      const body = `{"ssn":"${ssn}","score":700}`
      // closes each connection after its first answer, without saying so
      const url = yield* serve((socket) => {
        connections++
        socket.once("data", () => {
          socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`)
          socket.once("data", () => socket.destroy())
        })
      })
      const { lookup } = yield* lookupOf(url)
      for (let call = 0; call < 3; call++) assert.strictEqual((yield* lookup(ssn)).score, 700)
      assert.strictEqual(connections, 3)
      const gone = yield* lookupOf("http://127.0.0.1:1")
      const failure = yield* Effect.flip(gone.lookup(ssn))
      assert.strictEqual(failure._tag, "BureauUnavailable")
      assert.include(failure.message, `connection "bureau": it cannot be reached (ECONNREFUSED)`)
    })
  )

  it.live("sends its secret and never says it", () =>
    Effect.gen(function* () {
      let received = ""
      const url = yield* serve((socket) =>
        socket.on("data", (bytes) => {
          received += bytes.toString()
          socket.end("HTTP/1.1 401 No\r\ncontent-length: 0\r\n\r\n")
        })
      )
      const auth = { header: "x-key", value: { command: ["echo", "hunter2"] as const } }
      const { lookup } = yield* lookupOf(`${url}/base/`, { auth })
      const failure = yield* Effect.flip(lookup(ssn))
      assert.match(received, /^POST \/base\/v1\/score HTTP\/1\.1\r\n/)
      assert.include(received, "\r\nx-key: hunter2\r\n")
      assert.strictEqual(failure._tag, "BureauRejected")
      assert.notMatch(JSON.stringify(failure), /hunter2|123456780/)
      const missing = yield* Effect.result(lookupOf(url, { auth: { bearer: { env: "FRAZIL_TEST_NONE" } } }))
      assert.isTrue(Result.isFailure(missing))
    })
  )
})

type Handler = (socket: Socket) => void

const serve = (handler: Handler) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.callback<Server>((resume) => {
        const server = createServer((socket) => {
          socket.on("error", () => socket.destroy())
          handler(socket)
        })
        server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
      }),
      (server) => Effect.sync(() => server.close())
    ),
    (server) => {
      const address = server.address()
      assert(address !== null && typeof address === "object")
      return `http://127.0.0.1:${address.port}`
    }
  )

const serveText = (text: string) => serve((socket) => socket.on("data", () => socket.write(text)))
