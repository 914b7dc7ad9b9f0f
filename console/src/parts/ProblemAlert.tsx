import { Alert } from "@mantine/core";
import { CircleAlert } from "lucide-react";
import { asProblem } from "../api/problem";
import { problemText } from "../i18n/problems";
import { useT } from "../i18n/languageContext";
import classes from "./ProblemAlert.module.css";

/** Shows why the last act failed, and nothing when it did not. */
export function ProblemAlert({ error }: { error: unknown }) {
  const t = useT();
  if (!error) return null;
  const problem = asProblem(error);
  return (
    <Alert className={classes["alert"] ?? ""} color="red" variant="default" role="alert" icon={<CircleAlert aria-hidden size={18} />}>
      {problemText(t, problem)}
      {problem.detail !== null && <div className={classes["detail"]}>{problem.detail}</div>}
    </Alert>
  );
}
