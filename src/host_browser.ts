/** Opening a web address in the person's browser, on each system. Knows launchers, and not what the address is for. */

import type { Host } from "./host.ts";

/** A launcher that has not failed by then, in milliseconds, is taken to have worked: some stay as long as the browser. */
const moment = 1500;

/** A program and its arguments. */
export type Launcher = readonly [program: string, ...args: string[]];

/**
 * Tries the launchers of this system one after the other.
 *
 * @param command the person's own choice (`--browser`); `%s` in it stands for the address, which else comes last
 * @returns false when none works
 */
export async function openBrowser(
  url: string,
  command: string | undefined,
  host: Pick<Host, "env" | "os">,
): Promise<boolean> {
  for (const launcher of launchers(url, command, host)) {
    if (await launch(launcher)) return true;
  }
  return false;
}

/** What is worth trying, best first. */
export function launchers(
  url: string,
  command: string | undefined,
  { env, os }: Pick<Host, "env" | "os">,
): readonly Launcher[] {
  if (command !== undefined) return [fromCommand(command, url)];
  // a list, as sensible-browser and xdg-open read it
  const own = (env("BROWSER") ?? "").split(os === "windows" ? ";" : ":").filter((each) =>
    each.trim() !== ""
  )
    .map((each) => fromCommand(each, url));
  if (os === "macos") return [...own, ["open", url]];
  // no shell: it would take the & of the address for its own
  if (os === "windows") return [...own, ["rundll32", "url.dll,FileProtocolHandler", url]];
  if (env("WSL_DISTRO_NAME")) {
    const quoted = `'${url.replaceAll("'", "''")}'`;
    return [
      ...own,
      ["wslview", url],
      ["powershell.exe", "-NoProfile", "-NonInteractive", "-Command", `Start-Process ${quoted}`],
    ];
  }
  // without a display xdg-open would start a text browser in this terminal
  const hasDisplay = Boolean(env("DISPLAY") || env("WAYLAND_DISPLAY"));
  return hasDisplay ? [...own, ["xdg-open", url]] : own;
}

function fromCommand(command: string, url: string): Launcher {
  const [program = "", ...args] = command.trim().split(/\s+/);
  return args.some((each) => each.includes("%s"))
    ? [program, ...args.map((each) => each.replaceAll("%s", url))]
    : [program, ...args, url];
}

async function launch([program, ...args]: Launcher): Promise<boolean> {
  try {
    // its output must not get into ours
    const child = new Deno.Command(program, { args, stdin: "null", stdout: "null", stderr: "null" })
      .spawn();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stillRuns = new Promise<true>((resolve) =>
      timer = setTimeout(() => resolve(true), moment)
    );
    const worked = await Promise.race([child.status.then(({ success }) => success), stillRuns]);
    clearTimeout(timer);
    child.unref();
    return worked;
  } catch {
    return false;
  }
}
