import { Stack, Text } from "@mantine/core";
import type { LucideIcon } from "lucide-react";

export function EmptyState({ icon: Icon, title, hint }: { icon: LucideIcon; title: string; hint?: string }) {
  return (
    <Stack align="center" gap={6} p="xl" c="dimmed" ta="center">
      <Icon aria-hidden size={28} strokeWidth={1.5} />
      <Text size="sm">{title}</Text>
      {hint !== undefined && <Text size="xs">{hint}</Text>}
    </Stack>
  );
}
