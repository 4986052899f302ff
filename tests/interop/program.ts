/** Starts the programs of this folder: counterparts that nobody here wrote, each with dependencies of its own. */

export interface Program extends AsyncDisposable {
  /** What it printed first. */
  readonly firstLine: string;
}

const folder = new URL(".", import.meta.url);

/** What these programs may do: they stay on this machine. */
export const programFlags: readonly string[] = [
  "run",
  "--quiet",
  "--no-prompt",
  "--config",
  new URL("deno.json", folder).pathname,
  "--allow-net=localhost,127.0.0.1,[::1]",
  "--allow-env",
  "--allow-sys",
  "--allow-read",
];

/** Starts a server and waits for its first line; it is killed at the end of the scope. */
export async function startProgram(name: string, settings: unknown): Promise<Program> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [...programFlags, new URL(name, folder).pathname, JSON.stringify(settings)],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const errors = new Response(child.stderr).text();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("\n")) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`${name} ended early: ${await errors}`);
    text += value;
  }
  return {
    firstLine: text.slice(0, text.indexOf("\n")),
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.status;
      await reader.cancel();
      await errors;
    },
  };
}
