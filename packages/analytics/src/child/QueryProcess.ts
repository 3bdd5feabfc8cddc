/**
 * The process that runs queries, one at a time: started by `pool/QueryProcessPool.ts`, spoken to in frames.
 *
 * Requests come on stdin, answers go to stdout. When stdin closes, the parent is gone and so is this process, whatever it
 * does. After a query its DuckDB is closed and the next one opened, so that nothing is left of a query.
 */
import { encodeFrame, FrameReader, type Request } from "../pool/Frames.ts"
import { openSession, type Output, type Session } from "./Session.ts"

const utf8 = new TextEncoder()
const fromUtf8 = new TextDecoder()

const write = (bytes: Uint8Array): Promise<void> =>
  new Promise((resolve) => {
    // the parent reads no more: wait, until it ends this process or goes on
    if (process.stdout.write(bytes)) resolve()
    else process.stdout.once("drain", () => resolve())
  })

const output: Output = {
  message: (answer) => write(encodeFrame("message", utf8.encode(JSON.stringify(answer)))),
  tree: (json) => write(encodeFrame("tree", utf8.encode(json))),
  rows: (bytes, rows) => {
    const payload = new Uint8Array(4 + bytes.length)
    new DataView(payload.buffer).setUint32(0, rows)
    payload.set(bytes, 4)
    return write(encodeFrame("rows", payload))
  }
}

const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))

const spillFolder = process.argv.at(-1) ?? ""
let session: Session = await openSession(spillFolder)
// opened while nothing is asked, so that the next query does not wait for it
let spare: Promise<Session> = openSession(spillFolder)

const answer = async (request: Request): Promise<void> => {
  try {
    if (request.type === "parse") return await output.tree(await session.parse(request.sql))
    await session.run(request, output)
  } catch (cause) {
    await output.message({ type: "failed", message: messageOf(cause) })
  }
  if (request.type === "parse") return
  session.close()
  session = await spare
  await output.message({ type: "ready", rssBytes: process.memoryUsage().rss })
  spare = openSession(spillFolder)
}

const reader = new FrameReader()
let working: Promise<void> = Promise.resolve()

process.stdin.on("data", (piece: Uint8Array) => {
  reader.push(piece)
  for (let frame = reader.next(); frame !== undefined; frame = reader.next()) {
    // only the parent writes here, and it writes requests
    const request = JSON.parse(fromUtf8.decode(frame.bytes)) as Request
    working = working.then(() => answer(request))
  }
})

// no clean end: DuckDB's threads may be busy, and nothing here is worth waiting for
const end = () => process.kill(process.pid, "SIGKILL")
process.stdin.on("end", end)
process.stdin.on("close", end)
