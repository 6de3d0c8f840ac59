"""What changes in the course of a training: functions of the iteration, so that a resumed run goes on exactly."""
