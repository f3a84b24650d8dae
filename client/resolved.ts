/** Options with all defaults filled in. */
export type Resolved<Options> = {
  readonly [Name in keyof Options]-?: Exclude<Options[Name], undefined>;
};
