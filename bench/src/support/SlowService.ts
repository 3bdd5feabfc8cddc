/**
 * The service of W6: a score for an account, 200 ms after it was asked. A process of its own, so that its cost is not the job's.
 *
 * Run by `openSlowService`; it prints its port, and ends when its standard input does.
 */
import { spawn } from "node:child_process"
import { createServer } from "node:http"
import { fileURLToPath } from "node:url"

const answerAfterMs = 200
const here = fileURLToPath(import.meta.url)

const serve = () => {
  const server = createServer((request, response) => {
    let body = ""
    request.on("data", (part) => (body += String(part)))
    request.on("end", () => {
      const { id } = JSON.parse(body) as { readonly id: string } // sent by the benchmark
      setTimeout(() => {
        response.setHeader("content-type", "application/json")
        response.end(JSON.stringify({ id, score: (id.length * 37) % 100 }))
      }, answerAfterMs)
    })
  })
  server.listen({ port: 0, host: "127.0.0.1", backlog: 2_000 }, () => {
    const address = server.address()
    process.stdout.write(`${typeof address === "object" ? address?.port : ""}\n`)
  })
  process.stdin.resume()
  process.stdin.on("end", () => process.exit(0))
}

/** Starts it: its address, and what ends it. */
export const openSlowService = async () => {
  const child = spawn(process.execPath, [here, "serve"], { stdio: ["pipe", "pipe", "inherit"] })
  const port = await new Promise<string>((resolve) => child.stdout.once("data", (text) => resolve(String(text).trim())))
  return { url: `http://127.0.0.1:${port}`, close: () => child.stdin.end() }
}

if (process.argv[1] === here && process.argv[2] === "serve") serve()
