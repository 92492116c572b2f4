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
    [InlineData("_ZN1A1fEi.isra.0.constprop.0", "A::f", "A::f", "A::f(int)")]
    [InlineData("_Z3foov.part.0.lto_priv.1", "foo", "foo", "foo()")]
    [InlineData("_ZL4coroi.actor", "coro", "coro", "coro(int)")]
    [InlineData("_Z3foov.llvm.1234567890", "foo", "foo", "foo()")]
    [InlineData("_Z1hI1AXadL_Z1fiEEEvT_", "h", "h<A, &f>", "void h<A, &(f(int))>(A)")]
    [InlineData("_Z1hIXadL_ZN1A1fEiEEEvv", "h", "h<&A::f>", "void h<&A::f>()")]
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
    [InlineData("_ZTv0_n24_N3foo3barEi", "virtual thunk to foo::bar(int)")]
    [InlineData("_ZGVZ1fIiEvvE1x", "guard variable for f<int>()::x")]
    [InlineData("_Z1fPA3_Pi", "f(int* (*) [3])")]
    [InlineData("_Z1fPDoFvvE", "f(void (*)() noexcept)")]
    [InlineData("_Z1fILb1EEvPDOT_EFviE", "void f<true>(void (*)(int) noexcept(true))")]
    [InlineData("_Zli3_kme", "operator\"\" _km(long double)")]
    [InlineData("_Z1fB3tagv", "f[abi:tag]()")]
    [InlineData("_ZDC1a1bE", "[a, b]")]
    [InlineData("_ZN1DCI11BEi", "D::B(int)")]
    [InlineData("_ZNH1S3fooES_", "S::foo(this S)")]
    [InlineData("_Z1fIiQ1CIT_EEvv", "void f<int>()")]
    [InlineData("_ZN1SILi1EEF3barIiEEiR4Base", "int S<1>::bar[friend]<int>(Base&)")]
    public void Writes_names_as_the_gnu_tools_do(string symbol, string full) => Assert.Equal(full, Full(symbol));

    [Theory]
    [InlineData("_Z1fIJicEE1AIXsZT_EEv", "A<2> f<int, char>()")]
    [InlineData("_Z1fIiEN1AIXaantsr1BIT_E1cgtstS2_Li2EEE1tES2_", "A<(!B<int>::c)&&(((sizeof (int))>(2)))>::t f<int>(int)")]
    [InlineData("_Z1fI1AEDTclclsr3stdE1gIT_EEEEv", "decltype (((std::g<A>)())()) f<A>()")]
    [InlineData("_Z1fIJiicEEDTfrplT_EDpT_", "decltype (((int, int, char)+...)) f<int, int, char>(int, int, char)")]
    [InlineData("_Z1fIiEDTgsnwcvPvLi0E_T_piLi1EEES0_", "decltype (::new ((void*)(0)) int(1)) f<int>(void*)")]
    [InlineData("_Z1fIiEv1AIXtl1Udi1iLi0EEEE", "void f<int>(A<U{.i=(0)}>)")]
    public void Writes_expressions_as_the_gnu_tools_do(string symbol, string full) => Assert.Equal(full, Full(symbol));

    [Theory]
    [InlineData("_ZNK2L2MUlT_T0_E_clIifEEvS_S0_", "void L2::{lambda(auto:1, auto:2)#1}::operator()<int, float>(L2, int) const")]
    [InlineData("_ZZ2L1vENKUlDpT_E_clIJiPiEEEvS0_", "void L1()::{lambda((auto:1)...)#1}::operator()<int, int*>(int, int*) const")]
    [InlineData("_ZNSt5_BindIFZ4mainEUlT_E0_iEEC1IJiEEEOS1_DpOT_", "std::_Bind<main::{lambda(auto:1)#2} (int)>::_Bind<int>(main::{lambda(auto:1)#2}&&, int&&)")]
    [InlineData("_ZNK6l_var3MUlTtTpTniETpTniRT_IJXspT0_EEEE_clI1XJLi1ELi2EEEEDaS2_", "auto l_var3::{lambda<template<int...> class $TT0, int... $N1>($TT0<($N1)...>&)#1}::operator()<X, 1, 2>(X<1, 2>&) const")]
    [InlineData("_ZN2wi3absI1AI1BEEENS_1CIT_XsrNS_1DIS5_EE1pEXsrS7_1pEE1rERKS5_", "wi::C<A<B>, wi::D<A<B> >::p, wi::D<A<B> >::p>::r wi::abs<A<B> >(A<B> const&)")]
    public void Gives_substitutions_the_template_arguments_of_their_place(string symbol, string full) => Assert.Equal(full, Full(symbol));

    [Theory]
    [InlineData("_ZW3FOOW3BAZ3BarPS_W3BAR1APN3BobS1_1BE", "Bar@FOO.BAZ(A@FOO.BAR*, Bob::B@FOO.BAR*)")]
    [InlineData("_ZNW3FOO3TPLIS_3OneE1NIS_3TwoEEvPS1_PT_", "void TPL@FOO<One@FOO>::N<Two@FOO>(One@FOO*, Two@FOO*)")]
    [InlineData("_ZGIW3FooWP3BarW3Baz", "initializer for module Foo:Bar.Baz")]
    public void Names_the_module_of_a_cpp_entity(string symbol, string full) => Assert.Equal(full, Full(symbol));

    [Theory]
    [InlineData("_Z1fRA5_i", "f(int (&) [5])")]
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
    [InlineData("_RINvC1a1fKnn80000000000000000000000000000000_Kc27_Kb1_E", "a::f::<-0x80000000000000000000000000000000, '\\'', true>")]
    [InlineData("_RNSNvYNvC1a1fINtC4core6FnOnceuE9call_once6vtableB2_", "<a::f as core::FnOnce<()>>::call_once::{shim:vtable#0}")]
    [InlineData("_RNvMC1aINtB2_1SDNtC4core4SendEL_E1f.llvm.9D1C9369", "<a::S<dyn core::Send>>::f")]
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
        var rebound = "_Z1fIiEvSt4pairIT_T_E" + string.Concat(Digits.Select(digit => $"S_IS{digit}_S{digit}_E"));
        var reread = "_Z1fI" + string.Concat(Enumerable.Repeat("Xsr1AI", 150)) + "i" + string.Concat(Enumerable.Repeat("E1bE", 150)) + "Evv";
        var rust = "_RIC1aTRuRuE" + string.Concat(Enumerable.Repeat("TB4_B4_TB4_B4_E", 200)) + "E";
        var watch = Stopwatch.StartNew();

        Assert.Equal(cpp, Full(cpp));
        Assert.Equal(rebound, Full(rebound));
        Assert.Equal(reread, Full(reread));
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
