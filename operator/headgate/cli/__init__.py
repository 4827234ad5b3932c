"""The commands `headgate` and `kubectl headgate`."""
