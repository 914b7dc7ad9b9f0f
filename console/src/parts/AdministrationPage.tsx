import { Button, Group, Text, Title } from "@mantine/core";
import { Plus } from "lucide-react";
import type { ReactNode } from "react";
import classes from "./AdministrationPage.module.css";
import { LoadingScreen } from "./LoadingScreen";
import { ProblemScreen } from "./ProblemScreen";

interface Props {
  title: string;
  hint: string;
  addLabel: string;
  onAdd: () => void;
  list: { isPending: boolean; error: unknown; refetch: () => unknown };
  children: ReactNode;
}

/** The frame of every administration screen: what it is about, a button to add one, the table. */
export function AdministrationPage({ title, hint, addLabel, onAdd, list, children }: Props) {
  return (
    <div className={classes["page"]}>
      <div className={classes["content"]}>
        <Group justify="space-between" align="flex-start" gap="sm" mb="md">
          <div className={classes["about"]}>
            <Title order={1} size="h4">
              {title}
            </Title>
            <Text size="sm" c="dimmed">
              {hint}
            </Text>
          </div>
          <Button size="xs" leftSection={<Plus size={14} aria-hidden />} onClick={onAdd} data-testid="add">
            {addLabel}
          </Button>
        </Group>
        {list.error ? <ProblemScreen error={list.error} onRetry={() => void list.refetch()} /> : list.isPending ? <LoadingScreen /> : children}
      </div>
    </div>
  );
}
