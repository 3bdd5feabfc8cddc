/**
 * PyIceberg doing the same work on the same catalog: `peer.py`, run by the Python that `pylake.sh` of `infra` has.
 *
 * `infra` is a folder of scripts beside the repository; environment variable FRAZIL_INFRA says where else.
 */
import { existsSync } from "node:fs"
import { join, resolve } from "node:path"
import type { DataDirectory } from "@frazil/platform"
import { runTree } from "../peers/RunPeer.ts"
import { BenchError } from "../support/BenchError.ts"
import { lastObject } from "../support/Benchmark.ts"

const infra = process.env["FRAZIL_INFRA"] ?? resolve(import.meta.dirname, "../../../../shared/infra")

/** The figures that the script prints. */
export const askPyIceberg = (
  directory: DataDirectory,
  action: "plan" | "append",
  request: Readonly<Record<string, unknown>>
): Readonly<Record<string, number | string>> => {
  const command = join(infra, "pylake.sh")
  if (!existsSync(command))
    throw new BenchError(
      `${command} is missing: PyIceberg is compared with; set FRAZIL_INFRA to the folder of infra scripts`
    )
  const { catalogFile, warehouseUri: warehouse } = directory
  const words = JSON.stringify({ catalogFile, warehouse, ...request })
  const script = join(import.meta.dirname, "peer.py")
  const ran = runTree([command, "py", script, action, words], import.meta.dirname)
  const answer = lastObject(ran.printed)
  if (ran.exitCode !== 0 || answer === undefined) throw new BenchError(`PyIceberg failed: ${ran.said.trim()}`)
  // the script prints numbers and texts only
  return answer.fields as Readonly<Record<string, number | string>>
}
