/**
 * Calls over HTTP/1.1 on sockets that are kept: as many at a time as the pool has sockets, at a few microseconds each.
 *
 * On plain sockets because Bun lets `fetch` (and `node:http`, which is built on it) make 256 calls at a time at most unless
 * a variable was set before it started; this runs alike on Bun, Deno and Node. **Order**: waiting calls get sockets in
 * the order in which they came. **Bounds**: `socketsMax` sockets, `bodyBytesMax` of an answer; who calls bounds how many
 * wait, and for how long. An interrupted call closes its socket. A call on a kept socket that the other side had closed is
 * sent again, once, on a new one: what is called here may be asked again.
 */
import { connect as connectPlain, isIP, type Socket } from "node:net"
import { connect as connectTls } from "node:tls"
import { Effect, Exit, type Scope } from "effect"
import { HttpError } from "./HttpError.ts"
import { type HttpResponse, makeResponseReader, type ReadStep } from "./ResponseReader.ts"

export interface HttpPoolOptions {
  /** Of the connection, for messages. */
  readonly name: string
  readonly host: string
  readonly port: number
  /** Undefined: without TLS. */
  readonly tls:
    | {
        readonly serverName: string | undefined
        readonly ca: string | undefined
        readonly certificate: string | undefined
        readonly key: string | undefined
      }
    | undefined
  readonly socketsMax: number
  readonly bodyBytesMax: number
}

export interface HttpPool {
  /** Sends a whole request, as text of HTTP/1.1, and gives its answer, whatever its status. */
  readonly call: (request: string) => Effect.Effect<HttpResponse, HttpError>
  readonly socketsOpen: () => number
}

interface Call {
  readonly request: string
  readonly end: (exit: Exit.Exit<HttpResponse, HttpError>) => void
  /** Whether it was sent again already. */
  again: boolean
  line: Line | undefined
  ended: boolean
}

/** A socket and the call that it carries. */
interface Line {
  readonly socket: Socket
  call: Call | undefined
  /** An answer has come over it. */
  used: boolean
}

const untrusted = /CERT|SELF_SIGNED|UNABLE_TO|ERR_TLS|ALTNAME|SSL/

export const makeHttpPool = (options: HttpPoolOptions): Effect.Effect<HttpPool, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => openPool(options)),
    ({ close }) => Effect.sync(close)
  )

const openPool = (options: HttpPoolOptions): HttpPool & { readonly close: () => void } => {
  const lines = new Set<Line>()
  const idle: Array<Line> = []
  const waiting: Array<Call> = []
  const where = `connection "${options.name}"`

  const fail = (call: Call, reason: HttpError["reason"], what: string) => {
    if (call.ended) return
    call.ended = true
    call.end(Exit.fail(new HttpError({ reason, message: `${where}: ${what}` })))
  }
  const drop = (line: Line) => {
    lines.delete(line)
    line.call = undefined
    const at = idle.indexOf(line)
    if (at >= 0) idle.splice(at, 1)
    line.socket.destroy()
  }
  /** A line has ended under its call. */
  const broke = (line: Line, begun: boolean, reason: HttpError["reason"], what: string) => {
    const { call } = line
    drop(line)
    if (call !== undefined && !call.ended) {
      if (line.used && !begun && !call.again) {
        call.again = true
        start(call)
      } else fail(call, reason, what)
    }
    next()
  }
  const settle = (line: Line, step: ReadStep) => {
    if (step._tag === "More") return
    const { call } = line
    if (step._tag === "Failed") {
      const what =
        step.reason === "TooLong"
          ? `its answer is longer than ${options.bodyBytesMax} bytes`
          : "what it answered is no answer of HTTP"
      broke(line, true, step.reason, what)
      return
    }
    line.call = undefined
    line.used = true
    if (step.reusable) idle.push(line)
    else drop(line)
    if (call !== undefined && !call.ended) {
      call.ended = true
      call.end(Exit.succeed(step.response))
    }
    next()
  }
  const open = (): Line => {
    const socket = connectTo(options)
    const line: Line = { socket, call: undefined, used: false }
    const reader = makeResponseReader(options.bodyBytesMax)
    lines.add(line)
    socket.setNoDelay(true)
    socket.on("data", (bytes: Uint8Array) => {
      // nobody asked: not to be trusted with the next call
      if (line.call === undefined) drop(line)
      else settle(line, reader.push(bytes))
    })
    socket.on("error", (error) => {
      const code = "code" in error ? String(error.code) : error.name
      const reason = untrusted.test(code) ? "Untrusted" : "Unreachable"
      const what =
        reason === "Untrusted" ? `its certificate is not to be trusted (${code})` : `it cannot be reached (${code})`
      broke(line, reader.begun(), reason, what)
    })
    socket.on("close", () => {
      if (!lines.has(line)) return
      const begun = reader.begun()
      const step = begun ? reader.end() : undefined
      if (step?._tag === "Done") settle(line, step)
      else broke(line, begun, "Unreachable", "the connection ended without an answer")
    })
    return line
  }
  const start = (call: Call) => {
    // the one used last is the likeliest to be open still
    const line = call.again ? undefined : idle.pop()
    if (line === undefined && lines.size >= options.socketsMax) {
      waiting.push(call)
      return
    }
    const free = line ?? open()
    free.call = call
    call.line = free
    free.socket.write(call.request)
  }
  const next = () => {
    while (waiting.length > 0 && (idle.length > 0 || lines.size < options.socketsMax)) {
      const call = waiting.shift()!
      if (!call.ended) start(call)
    }
  }
  return {
    call: (request) =>
      Effect.callback((resume) => {
        const call: Call = { request, end: resume, again: false, line: undefined, ended: false }
        start(call)
        return Effect.sync(() => {
          call.ended = true
          if (call.line?.call === call) drop(call.line)
          next()
        })
      }),
    socketsOpen: () => lines.size,
    close: () => {
      for (const call of waiting.splice(0)) fail(call, "Unreachable", "it was closed")
      for (const line of lines) {
        const { call } = line
        drop(line)
        if (call !== undefined) fail(call, "Unreachable", "it was closed")
      }
    }
  }
}

const connectTo = ({ host, port, tls }: HttpPoolOptions): Socket => {
  if (tls === undefined) return connectPlain({ host, port })
  const { ca, certificate, key, serverName } = tls
  // a name of an address is not sent (RFC 6066), but still compared
  const name = serverName ?? host
  return connectTls({
    host,
    port,
    ...(isIP(name) === 0 ? { servername: name } : {}),
    ...(ca === undefined ? {} : { ca }),
    ...(certificate === undefined ? {} : { cert: certificate }),
    ...(key === undefined ? {} : { key })
  })
}
