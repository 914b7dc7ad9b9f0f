/** Choices of a select from things that have a name. */
export function optionsOf(things: readonly { id: string; name: string }[] | undefined): { value: string; label: string }[] {
  return (things ?? []).map(({ id, name }) => ({ value: id, label: name }));
}
