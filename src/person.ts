/** The person who takes part in a flow, as an interface only. */

/** The person who signs in. */
export interface Person {
  /** Shows lines, at once; what stands between `**` and `**` is made to stand out where that is possible. */
  tell(lines: readonly string[]): void;
  /** Whether they see block characters and colours: a terminal. */
  readonly hasTerminal: boolean;
  /** Whether what is read comes from their hands: a terminal. */
  readonly canType: boolean;
  /** Tries to open the address; false when no browser could be started. */
  openBrowser(url: string): Promise<boolean>;
  /** The next line that they type or paste; undefined when there will be none. Rejects with the signal's reason. */
  readLine(signal: AbortSignal): Promise<string | undefined>;
}
