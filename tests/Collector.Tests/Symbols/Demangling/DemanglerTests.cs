using System.Diagnostics;
using ActorProfiler.Collector.Symbols.Demangling;

namespace ActorProfiler.Tests.Symbols.Demangling;

public class DemanglerTests
{
    private static string Full(string symbol) => Demangler.Demangle(symbol, DemangleMode.Full);

    private static string Simplified(string symbol) => Demangler.Demangle(symbol, DemangleMode.Simplified);

    [Theory]
    [InlineData("_ZN3foo3barIiEEvi", "foo::bar", "foo::bar<int>", "void foo::bar<int>(int)")]
    [InlineData("_ZNKSt3mapIiSsE2atERKi", "std::map::at", "std::map<int, std::string>::at", "std::map<int, std::string>::at(int const&) const")]
    [InlineData("_ZN1AIiE1BIcEC2Ev", "A::B::B", "A<int>::B<char>::B", "A<int>::B<char>::B()")]
    [InlineData("_ZN12_GLOBAL__N_13barEi", "(anonymous namespace)::bar", "(anonymous namespace)::bar", "(anonymous namespace)::bar(int)")]
    [InlineData("_ZZN3foo3barEiENKUlvE_clEv", "foo::bar()::{lambda()#1}::operator()", "foo::bar()::{lambda()#1}::operator()", "foo::bar(int)::{lambda()#1}::operator()() const")]
    [InlineData("_ZTV3foo", "vtable for foo", "vtable for foo", "vtable for foo")]
    [InlineData("_Z3foov.cold", "foo", "foo", "foo()")]
    public void Shows_a_cpp_name_in_each_mode(string symbol, string simplified, string templates, string full)
    {
        Assert.Equal(symbol, Demangler.Demangle(symbol, DemangleMode.None));
        Assert.Equal(simplified, Simplified(symbol));
        Assert.Equal(templates, Demangler.Demangle(symbol, DemangleMode.Templates));
        Assert.Equal(full, Full(symbol));
    }

    [Theory]
    [InlineData("_Z1fPFviE", "f(void (*)(int))")]
    [InlineData("_Z1fPA10_i", "f(int (*) [10])")]
    [InlineData("_Z1fM1AKFivE", "f(int (A::*)() const)")]
    [InlineData("_Z1fRA5_KcPFPFivEcEM1Ai", "f(char const (&) [5], int (*(*)(char))(), int A::*)")]
    [InlineData("_Z1fIiEDTplfp_fp_ET_", "decltype ({parm#1}+{parm#1}) f<int>(int)")]
    [InlineData("_Z1fIJicEEvDpT_", "void f<int, char>(int, char)")]
    [InlineData("_Z1fIJ1ASt5tupleIJRiEES1_IJEEEEvDpOT_", "void f<A, std::tuple<int&>, std::tuple<> >(A&&, std::tuple<int&>&&, std::tuple<>&&)")]
    [InlineData("_Z1fIiEvN1AIXsr1BIT_E1cEEE", "void f<int>(A<B<int>::c>)")]
    [InlineData("_Z1fIiEDTclsr3stdE5beginfp_EET_", "decltype (std::begin({parm#1})) f<int>(int)")]
    [InlineData("_Z1fIKhEvPKT_", "void f<unsigned char const>(unsigned char const*)")]
    [InlineData("_ZNSt8functionIFviEEC1Ev", "std::function<void (int)>::function()")]
    [InlineData("_ZNSsC1EPKc", "std::basic_string<char, std::char_traits<char>, std::allocator<char> >::basic_string(char const*)")]
    [InlineData("_ZN3foocvT_IiEEv", "foo::operator int<int>()")]
    [InlineData("_Z1fILin3EEvv", "void f<-3>()")]
    [InlineData("_ZTCN3fooE0_3bar", "construction vtable for bar-in-foo")]
    [InlineData("_ZThn16_N3foo3barEi", "non-virtual thunk to foo::bar(int)")]
    public void Writes_types_as_the_gnu_tools_do(string symbol, string full) => Assert.Equal(full, Full(symbol));

    [Theory]
    [InlineData("_ZN4core3fmt9Formatter3pad17h0123456789abcdefE", "core::fmt::Formatter::pad")]
    [InlineData("_ZN58_$LT$alloc..string..String$u20$as$u20$core..fmt..Write$GT$9write_str17h0123456789abcdefE", "<alloc::string::String as core::fmt::Write>::write_str")]
    [InlineData("_RNvCs1234_7mycrate3foo", "mycrate::foo")]
    [InlineData("_RNvCslNYArtu3iFV_5alloc3vec", "alloc::vec")]
    [InlineData("_RNCNCNvCs1234_7mycrate3foo00B5_", "mycrate::foo::{closure#0}::{closure#0}")]
    [InlineData("_RNvMs0_NtCs1234_7mycrate3barNtB5_3Foo3baz", "<mycrate::bar::Foo>::baz")]
    [InlineData("_RNCNvCs1234_7mycrate3foo0B3_", "mycrate::foo::{closure#0}")]
    [InlineData("_RINvNtC3std3mem8align_ofdE", "std::mem::align_of::<f64>")]
    [InlineData("_RNvCs1234_7mycrateu8gdel_5qa", "mycrate::gödel")]
    [InlineData("_RIC3fooReRShTlmEFG_RL0_hEuE", "foo::<&str, &[u8], (i32, u32), for<'a> fn(&'a u8)>")]
    public void Shows_a_rust_name(string symbol, string shown) => Assert.Equal(shown, Full(symbol));

    [Fact]
    public void Leaves_generic_arguments_out_of_simplified_rust_names() => Assert.Equal("std::mem::align_of", Simplified("_RINvNtC3std3mem8align_ofdE"));

    [Theory]
    [InlineData("main")]
    [InlineData("_start")]
    [InlineData("_Z")]
    [InlineData("_ZN3fooE9")]
    [InlineData("_ZN99999999999fooE")]
    [InlineData("_R")]
    [InlineData("_RNvC7mycrateB_")]
    public void Leaves_other_names_as_they_are(string symbol) => Assert.Equal(symbol, Full(symbol));

    [Fact]
    public void Keeps_versions_and_marks_behind_the_name() => Assert.Equal("foo()@plt", Full("_Z3foov@plt"));

    [Fact]
    public void Gives_up_quickly_on_a_symbol_that_stands_for_petabytes()
    {
        const string Digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
        var cpp = "_Z1fSt4pairIiiE" + string.Concat(Digits.Select(digit => $"S_IS{digit}_S{digit}_E"));
        var rust = "_RIC1aTRuRuE" + string.Concat(Enumerable.Repeat("TB4_B4_TB4_B4_E", 200)) + "E";
        var watch = Stopwatch.StartNew();

        Assert.Equal(cpp, Full(cpp));
        Assert.Equal(rust, Full(rust));
        Assert.Equal("_Z" + new string('P', 4000), Full("_Z" + new string('P', 4000)));
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(2), $"took {watch.Elapsed}");
    }

    [Fact]
    public void Survives_damaged_symbols()
    {
        foreach (var symbol in new[]
        {
            "_ZZN3foo3barIJicEEEiT_ENKUlRKSt6vectorIiSaIiEEE_clES4_", "_Z1fRA5_KcPFPFivEcEM1AiDTplfp_fp_E",
            "_RINvMs0_NtCs1234_7mycrate3barNtB5_3FooReTlmEFG_RL0_hEuKj7b_E3baz",
        })
        {
            Mutations.Try(System.Text.Encoding.ASCII.GetBytes(symbol), bytes => Full("_" + System.Text.Encoding.Latin1.GetString(bytes)[Math.Min(1, bytes.Length)..]), 5000);
        }
    }
}
