# Completion of losscalc in bash: losscalc itself says what fits, a line each of its kind and its value.
_losscalc() {
    local kind value
    COMPREPLY=()
    while IFS=$'\t' read -r kind value _; do
        if [[ $kind == file ]]; then
            # Where nothing else is found, bash completes names of files itself.
            compopt -o default 2>/dev/null
        else
            COMPREPLY+=("$value")
        fi
    done < <(_LOSSCALC_COMPLETE=bash_complete "$1" "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o nosort -F _losscalc losscalc 2>/dev/null || complete -o default -F _losscalc losscalc
