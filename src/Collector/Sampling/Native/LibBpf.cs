using System.Runtime.InteropServices;

namespace ActorProfiler.Collector.Sampling.Native;

/// <summary>libbpf's functions, under its own names. Source: bpf/libbpf.h and bpf/bpf.h of libbpf 1.1.</summary>
internal static unsafe partial class LibBpf
{
    internal const string Library = "libbpf.so.1";

    [LibraryImport(Library)]
    internal static partial nint libbpf_version_string();

    [LibraryImport(Library)]
    internal static partial nint libbpf_set_print(delegate* unmanaged[Cdecl]<int, byte*, nint, int> print);

    [LibraryImport(Library)]
    internal static partial int libbpf_num_possible_cpus();

    [LibraryImport(Library, SetLastError = true)]
    internal static partial BpfObjectHandle bpf_object__open_mem(byte* image, nuint size, nint options);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int bpf_object__load(BpfObjectHandle bpfObject);

    [LibraryImport(Library)]
    internal static partial void bpf_object__close(nint bpfObject);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint bpf_object__find_program_by_name(BpfObjectHandle bpfObject, string name);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint bpf_object__find_map_by_name(BpfObjectHandle bpfObject, string name);

    [LibraryImport(Library)]
    internal static partial int bpf_program__fd(nint program);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial BpfLinkHandle bpf_program__attach_perf_event_opts(nint program, int perfEvent, nint options);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial BpfLinkHandle bpf_program__attach(nint program);

    [LibraryImport(Library)]
    internal static partial int bpf_link__destroy(nint link);

    [LibraryImport(Library)]
    internal static partial int bpf_map__fd(nint map);

    [LibraryImport(Library)]
    internal static partial uint bpf_map__max_entries(nint map);

    [LibraryImport(Library)]
    internal static partial int bpf_map__set_max_entries(nint map, uint entries);

    /// <summary>The bytes a .data, .bss or .rodata map is loaded with; not the live ones.</summary>
    [LibraryImport(Library)]
    internal static partial byte* bpf_map__initial_value(nint map, out nuint size);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int bpf_map_create(int type, nint name, uint keySize, uint valueSize, uint maxEntries, byte* options);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int bpf_map_lookup_elem(int map, void* key, void* value);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int bpf_map_update_elem(int map, void* key, void* value, ulong flags);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int bpf_map_delete_elem(int map, void* key);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int bpf_map_get_next_key(int map, void* key, void* next);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int bpf_map_lookup_and_delete_batch(
        int map, void* inPosition, void* outPosition, void* keys, void* values, ref uint count, nint options);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial RingBufferHandle ring_buffer__new(
        int map, delegate* unmanaged[Cdecl]<nint, byte*, nuint, int> sample, nint context, nint options);

    [LibraryImport(Library)]
    internal static partial int ring_buffer__poll(RingBufferHandle ring, int timeoutMilliseconds);

    [LibraryImport(Library)]
    internal static partial int ring_buffer__consume(RingBufferHandle ring);

    [LibraryImport(Library)]
    internal static partial void ring_buffer__free(nint ring);
}
