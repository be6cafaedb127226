using TrackMate.Manage;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Manage;

/// <summary>Companies, keys and logins are changed by several processes, and by a first start.</summary>
public sealed class RegistryTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_change_rests_on_what_others_have_changed_since_it_was_read()
    {
        using var one = StoreUnderTest.In(folder.Path).MakeRegistry(TimeProvider.System);
        var company = one.AddCompany("TM-SHOP99", "Shop");
        using var other = StoreUnderTest.In(folder.Path).MakeRegistry(TimeProvider.System);

        one.Set(company, shop => shop with { Name = "Renamed", Settings = shop.Settings with { ServerSessionGapMinutes = 45 } });
        var changed = other.Set(company, shop => shop with { Settings = shop.Settings with { Currency = "EUR" } });

        Assert.Equal(("Renamed", 45, "EUR"), (changed.Name, changed.Settings.ServerSessionGapMinutes, changed.Settings.Currency));
        one.Refresh();
        Assert.Equal(changed.Settings, one.Find("TM-SHOP99")!.Settings with { AllowedOrigins = changed.Settings.AllowedOrigins, PaymentTypes = changed.Settings.PaymentTypes, RefundTypes = changed.Settings.RefundTypes, Placeholders = changed.Settings.Placeholders });
        other.AddCompany("TM-OTHER", "Other");
        Assert.Throws<InvalidOperationException>(() => one.AddCompany("TM-OTHER", "Another"));
    }

    [Fact]
    public void A_first_start_that_fails_leaves_no_key_that_nobody_has_seen()
    {
        var options = new FirstStartSettings(null, null, null);
        using var registry = StoreUnderTest.In(folder.Path).MakeRegistry(TimeProvider.System);
        Execute(StoreUnderTest.IsPostgres
            ? ["CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''on purpose''; END'", "CREATE TRIGGER fail BEFORE INSERT ON member FOR EACH ROW EXECUTE FUNCTION fail()"]
            : ["CREATE TRIGGER fail BEFORE INSERT ON member BEGIN SELECT RAISE(ABORT, 'on purpose'); END"]);
        Assert.ThrowsAny<System.Data.Common.DbException>(() => FirstStart.Ensure(registry, options));
        Assert.Empty(registry.Companies);

        Execute([StoreUnderTest.IsPostgres ? "DROP TRIGGER fail ON member" : "DROP TRIGGER fail"]);
        var first = FirstStart.Ensure(registry, options);
        Assert.NotNull(first.ApiKey);
        Assert.NotNull(first.AdminPassword);
        Assert.Equal(first.Company.Number, registry.FindKey(first.ApiKey)!.Value.Company.Number);
        Assert.Equal((null, null), (FirstStart.Ensure(registry, options) is var second ? second.ApiKey : null, second.AdminPassword));
    }

    private void Execute(IEnumerable<string> statements)
    {
        using var database = StoreUnderTest.In(folder.Path).Engine.Open();
        foreach (var statement in statements) database.Execute(statement);
    }
}
