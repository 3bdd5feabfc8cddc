/**
 * Jupyter without a browser, in `.cache/notebooks`: installed when it is not there, and one run of a notebook by it.
 *
 * Touches nothing outside that folder: the kernel's description lies there too, not in the user's own.
 */
import { execFileSync, spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { installRuntimes } from "@frazil/runtime-tests/runtimes"

const notebooks = join(import.meta.dirname, "..")
const cache = join(notebooks, "../.cache/notebooks")
const cellTimeoutSeconds = 120
const runTimeoutMs = 240_000

/** Python's side, made anew when the pinned packages have changed; its `bin` folder. */
const installPython = (): string => {
  const requirements = join(notebooks, "requirements.txt")
  const hash = createHash("sha256").update(readFileSync(requirements)).digest("hex").slice(0, 16)
  const environment = join(cache, `python-${hash}`)
  const complete = join(environment, "complete")
  if (!existsSync(complete)) {
    rmSync(environment, { recursive: true, force: true })
    mkdirSync(cache, { recursive: true })
    execFileSync("python3", ["-m", "venv", environment], { stdio: "inherit" })
    const options = ["install", "--quiet", "--disable-pip-version-check", "--no-deps", "--requirement", requirements]
    execFileSync(join(environment, "bin/pip"), options, { stdio: "inherit" })
    writeFileSync(complete, "")
  }
  return join(environment, "bin")
}

/** Describes Deno's kernel to Jupyter; the folder to be searched for it. */
const describeKernel = (): string => {
  const folder = join(cache, "jupyter/kernels/deno")
  const argv = [installRuntimes().deno, "jupyter", "--kernel", "--conn", "{connection_file}"]
  mkdirSync(folder, { recursive: true })
  writeFileSync(
    join(folder, "kernel.json"),
    JSON.stringify({ argv, display_name: "Deno", language: "typescript", env: { NO_COLOR: "1" } })
  )
  return join(cache, "jupyter")
}

/** Runs every cell over `data` and writes the notebook with its outputs to `output`. What went wrong, or undefined. */
export const runNotebook = (notebook: string, data: string, output: string): string | undefined => {
  const bin = installPython()
  const options = [notebook, `--output=${output}`, `--timeout=${cellTimeoutSeconds}`]
  const run = spawnSync(join(bin, "jupyter-execute"), options, {
    encoding: "utf8",
    timeout: runTimeoutMs,
    env: {
      ...process.env,
      FRAZIL_DATA: data,
      JUPYTER_PATH: describeKernel(),
      JUPYTER_RUNTIME_DIR: join(cache, "jupyter/runtime"),
      JUPYTER_CONFIG_DIR: join(cache, "jupyter/config")
    }
  })
  if (run.error !== undefined) return run.error.message
  return run.status === 0 ? undefined : `exit code ${run.status}\n${run.stdout}${run.stderr}`
}
