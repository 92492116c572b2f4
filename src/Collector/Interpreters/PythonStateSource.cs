using ActorProfiler.Collector.Elf;

namespace ActorProfiler.Collector.Interpreters;

/// <summary>Where a thread keeps the pointer to its CPython state (<c>enum python_state_kind</c> in bpf/python.h).</summary>
internal enum PythonStateKind : uint
{
    /// <summary>Not known: the state is searched for.</summary>
    None,

    /// <summary>Under the key of thread-specific data that the word at the address holds.</summary>
    Key,

    /// <summary>At this distance from the thread register.</summary>
    Offset,

    /// <summary>At the distance from the thread register that the word at the address holds.</summary>
    OffsetAt,

    /// <summary>In the module and at the offset that the two words at the address hold.</summary>
    ModuleAt,

    /// <summary>Where the TLS descriptor at the address says.</summary>
    DescriptorAt,
}

/// <summary>Where each thread finds its own CPython state, attached or not: what <c>PyGILState_GetThisThreadState</c> returns.</summary>
/// <param name="Address">In the file, of what <paramref name="Kind"/> says; with <see cref="PythonStateKind.Offset"/> the distance.</param>
/// <param name="Further">Bytes from there to the pointer, where the variable is only a part of what the C library finds.</param>
/// <remarks>
/// Read from that function's code, in which alone it stands in a stripped file. Up to 3.14 it asks for thread-specific data (<c>autoTSSkey</c> in
/// <c>_PyRuntime</c>), then for a thread-local variable. Source: Python/pystate.c; ELF Handling For Thread-Local Storage, U. Drepper.
/// </remarks>
internal readonly record struct PythonStateSource(PythonStateKind Kind, ulong Address, uint Further)
{
    private const string Function = "PyGILState_GetThisThreadState";
    private const int CodeBytes = 128;
    private const int KeyInTss = 4; // struct _Py_tss_t { int _is_initialized; pthread_key_t _key; }
    private const long LargestRuntime = 4 << 20;

    /// <param name="runtime">Address of <c>_PyRuntime</c> in the file.</param>
    /// <returns>Of kind <see cref="PythonStateKind.None"/> where the code is of another form.</returns>
    /// <exception cref="FormatException">A table of symbols reaches past the end of the file.</exception>
    public static PythonStateSource Find(ElfFile file, ulong runtime)
    {
        if (DynamicSymbols.FindAddress(file, Function) is not { } address || !file.IsCode(address) || file.OffsetOf(address) is not { } offset)
        {
            return default;
        }

        var length = (int)Math.Min(CodeBytes, (ulong)file.Source.Length - offset);
        return Read(file.Source.ReadRange(offset, (ulong)length, CodeBytes, Function), address, runtime);
    }

    /// <inheritdoc cref="Find"/>
    /// <param name="code">Of the function.</param>
    /// <param name="address">Of its first byte.</param>
    public static PythonStateSource Read(byte[] code, ulong address, ulong runtime)
    {
        PythonStateSource found = default;
        var returned = CodePaths.Follow(code, address, CodeValue.Unknown, call =>
        {
            if (found.Kind == PythonStateKind.None)
            {
                found = KeyOf(call.Argument, runtime);
            }

            // The pair of words of __tls_get_addr, or a descriptor, is in the global offset table; of the calls only these have such an argument.
            return call.Through is { Number: { } descriptor } ? CodeValue.Of(CodeOrigin.Descriptor, descriptor)
                : call.Argument.Number is { } pair ? CodeValue.Of(CodeOrigin.Variable, pair) : CodeValue.Unknown;
        });
        return found.Kind != PythonStateKind.None ? found : returned.Select(Variable).FirstOrDefault(source => source.Kind != PythonStateKind.None);
    }

    /// <summary>The key, where a call gets it or the structure that holds it. _PyRuntime's address may itself have to be loaded.</summary>
    private static PythonStateSource KeyOf(CodeValue argument, ulong runtime)
    {
        var inRuntime = argument.Origin != CodeOrigin.Constant ? -1 : (argument.Loads, argument.Offset) switch
        {
            ([], var at) => at - (long)runtime + KeyInTss,
            ([var at], 0) => at - (long)runtime,
            ([_], var at) => at + KeyInTss,
            ([_, var at], 0) => at,
            _ => -1,
        };
        return inRuntime is > 0 and < LargestRuntime ? new PythonStateSource(PythonStateKind.Key, runtime + (ulong)inRuntime, 0) : default;
    }

    private static PythonStateSource Variable(CodeValue value) => (value.Origin, value.Loads, value.Offset) switch
    {
        (CodeOrigin.Thread, [var at], 0) => new(PythonStateKind.Offset, (ulong)at, 0),
        (CodeOrigin.ThreadAt, [var at], 0) => new(PythonStateKind.OffsetAt, value.Address, (uint)at),
        (CodeOrigin.Variable, [var at], 0) => new(PythonStateKind.ModuleAt, value.Address, (uint)at),
        (CodeOrigin.Descriptor, [var at], 0) => new(PythonStateKind.DescriptorAt, value.Address, (uint)at),
        _ => default,
    };
}
