/** A plot as a notebook shows and keeps it: one SVG, drawn without a browser. */
import * as Plot from "@observablehq/plot"
import { parseHTML } from "linkedom"

const { document } = parseHTML("<html></html>")

/** Draws the plot now; the kernel shows it as a picture. */
export const figure = (options: Plot.PlotOptions) => {
  const drawn = Plot.plot({ ...options, document })
  drawn.setAttribute("xmlns", "http://www.w3.org/2000/svg")
  const svg = drawn.outerHTML
  return { [Symbol.for("Jupyter.display")]: () => ({ "image/svg+xml": svg }) }
}

export { Plot }
