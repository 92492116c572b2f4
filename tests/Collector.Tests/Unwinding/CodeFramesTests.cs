using ActorProfiler.Collector.Elf;
using ActorProfiler.Collector.Processes;
using ActorProfiler.Collector.Unwinding;

namespace ActorProfiler.Tests.Unwinding;

/// <summary>Code whose descriptions are taken away: what is read from its instructions must be what they said.</summary>
public class CodeFramesTests
{
    private const string Source = """
        #include <stdio.h>
        #include <stdlib.h>
        #include <string.h>
        static __attribute__((noinline)) int leaf(int x) { return x * 3; }
        static __attribute__((noinline)) int large(int x) { volatile char room[5000]; memset((char *)room, x, sizeof(room)); return room[x & 1023] + leaf(x); }
        static __attribute__((noinline)) int many(int a, int b, int c, int d, int e, int f, int g, int h) { return leaf(a) + b + c + d + e + f + g * h; }
        static __attribute__((noinline)) int jumps(int x, char **v)
        {
            switch (x) {
            case 0: return puts(v[0]);
            case 1: return large(x) + puts("one");
            case 2: return many(x, 2, 3, 4, 5, 6, x, 8) * large(x);
            case 3: return printf("%d %s\n", large(3), v[0]);
            case 4: return leaf(x) + rand() + leaf(rand());
            case 5: for (int i = 0; i < rand(); i++) x += large(i) ^ many(i, x, i, x, i, x, i, x); return x;
            case 6: exit(large(9));
            case 7: abort();
            default: return -1;
            }
        }
        int main(int c, char **v) { return jumps(c + rand(), v); }
        """;

    private readonly UnwindRules _rules = new();

    [Theory]
    [InlineData("-O2 -fomit-frame-pointer")]
    [InlineData("-O0 -fomit-frame-pointer")]
    [InlineData("-O2 -fomit-frame-pointer -fcf-protection=none -static")]
    public void Reads_the_depth_of_the_stack_from_code_that_nothing_describes(string flags)
    {
        using var program = new CompiledProgram(Source, flags);
        string[] functions = ["leaf", "large", "many", "jumps", "main"];
        var symbols = program.Symbols();
        var rows = FrameListing.Read(program.Path)
            .Where(row => functions.Any(name => row.Address >= symbols[name] && row.Address < symbols[name] + 0x100)).ToList();
        Assert.True(rows.Count > 15);

        var table = Compile(Undescribed(program.Path));

        // Descriptions do not say that rbp is back in its register: where it was saved still holds it.
        Assert.All(rows, row => Assert.True(RuleAt(table, row) is { CfaKind: CfaKind.StackPointer } rule && row.Cfa == $"rsp+{rule.CfaOffset}"
            && (FrameListing.Agree(rule, row) || rule.FramePointerKind == FramePointerKind.Same), $"{row} {RuleAt(table, row)}"));
    }

    [Fact]
    public void Walks_by_the_frame_pointer_where_the_stack_is_aligned()
    {
        const string Aligned = """
            __attribute__((noinline)) int use(void *p) { return *(volatile int *)p; }
            __attribute__((noinline)) int aligned(int x) { int room[16] __attribute__((aligned(64))); room[3] = x; return use(room + 3) + room[4]; }
            int main(int c, char **v) { return aligned(c) + use(v); }
            """;
        using var program = new CompiledProgram(Aligned, "-O2 -fno-omit-frame-pointer");
        var table = Compile(Undescribed(program.Path));
        var function = program.Symbols()["aligned"];

        var rules = Enumerable.Range(0, 32).Select(offset => _rules[table.Find(function + (ulong)offset)]).ToList();

        Assert.Contains(new UnwindRule(CfaKind.FramePointer, FramePointerKind.AtCfa, 16, -16), rules);
    }

    [Fact]
    public void Leaves_described_code_alone()
    {
        using var program = new CompiledProgram(Source, "-O2");
        var described = Compile(File.ReadAllBytes(program.Path));

        Assert.All(FrameListing.Read(program.Path), row => Assert.True(FrameListing.Agree(_rules[described.Find(row.Address)], row), $"{row}"));
    }

    /// <summary>As a program of C with musl's library in it, which has no descriptions, or one with assembly that has none.</summary>
    [Theory]
    [InlineData("-static -nostdlib -e main")]
    [InlineData("-static-pie -nostdlib -e main")]
    [InlineData("-pie")]
    public void Adds_what_is_not_described_of_a_program_that_is(string flags)
    {
        const string Mixed = """
            __asm__(".text\n.type bare, @function\nbare: push %rbx\n.skip 128, 0x90\ncall leaf\npop %rbx\nret\n.size bare, . - bare");
            int bare(int);
            __attribute__((noinline)) int leaf(int x) { return x * 3; }
            __attribute__((noinline)) int more(int x) { volatile int room[64]; for (int i = 0; i < 64; i++) room[i] = x; return leaf(room[x & 63]); }
            int main(int c) { return bare(c) + more(c); }
            """;
        using var program = new CompiledProgram(Mixed, $"-O2 -fcf-protection=none {flags}");

        var table = Compile(File.ReadAllBytes(program.Path));

        var bare = program.Symbols()["bare"];
        Assert.Equal(new UnwindRule(CfaKind.StackPointer, FramePointerKind.Same, 8), _rules[table.Find(bare)]);
        Assert.Equal(new UnwindRule(CfaKind.StackPointer, FramePointerKind.Same, 16), _rules[table.Find(bare + 1)]);
    }

    [Fact]
    public void Survives_code_that_is_none()
    {
        using var program = new CompiledProgram(Source, "-O2");
        var bytes = Undescribed(program.Path);
        var text = ElfFile.Read(new MemorySource(bytes), "program").Section(".text")!.Value;
        var random = new Random(1);
        for (var round = 0; round < 50; round++)
        {
            random.NextBytes(bytes.AsSpan((int)text.Offset, (int)text.Size));
            Compile(bytes);
        }
    }

    private UnwindRule RuleAt(UnwindTable table, FrameListing.Row row) => _rules[table.Find(row.Address)];

    private UnwindTable Compile(byte[] bytes) =>
        new UnwindTables(_rules, TimeProvider.System).Compile(ElfFile.Read(new MemorySource(bytes), "program"))!;

    /// <summary>The file with nothing in its <c>.eh_frame</c>.</summary>
    private static byte[] Undescribed(string path)
    {
        var bytes = File.ReadAllBytes(path);
        var frames = ElfFile.Read(new MemorySource(bytes), path).Section(".eh_frame")!.Value;
        bytes.AsSpan((int)frames.Offset, (int)frames.Size).Clear();
        return bytes;
    }
}
