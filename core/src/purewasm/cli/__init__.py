"""The command `purewasm`: one file for each subcommand, nothing of it loaded by `import purewasm`."""
