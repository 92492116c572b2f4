using System.Text;

namespace ActorProfiler.Fuzz;

/// <summary>Good inputs to start from. More come from the folder given on the command line.</summary>
internal static class Seeds
{
    public static IEnumerable<byte[]> For(string target) => target switch
    {
        "elf" or "frames" or "symbols" => [File.ReadAllBytes("/bin/true")],
        "assembly" => [File.ReadAllBytes(Path.Combine(Path.GetDirectoryName(typeof(object).Assembly.Location)!, "System.Collections.Specialized.dll"))],
        "demangle" => Texts("_ZZN3foo3barIJicEEEiT_ENKUlRKSt6vectorIiSaIiEEE_clES4_", "_Z1fRA5_KcPFPFivEcEM1AiDTplfp_fp_E",
            "_RINvMs0_NtCs1234_7mycrate3barNtB5_3FooReTlmEFG_RL0_hEuKj7b_E3baz", "_ZN4core3fmt9Formatter3pad17h0123456789abcdefE", "_RNvCs1234_7mycrateu8gdel_5qa"),
        "kallsyms" => Texts("ffffffff81000000 T _stext\nffffffffc0000000 t in_module\t[nf_tables]\n"),
        "maps" => Texts("7f1c2a000000-7f1c2a022000 r-xp 00026000 fd:01 1835012                    /usr/lib/a b.so (deleted)\n"),
        "perfmap" => Texts("1000 100 old\n1040 20 new name\n0x2000 0x20 third\r\nfffffffffffffff0 f last\n"),
        "stat" => Texts("42 (a) R (b c) S 1 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 1234 0 0"),
        "status" => Texts("Name:\tx\nUid:\t0\t1000\t0\t0\nNSpid:\t4711\t12\t1\n"),
        _ => [],
    };

    private static IEnumerable<byte[]> Texts(params string[] texts) => texts.Select(Encoding.UTF8.GetBytes);
}
