using CsCheck;
using TrackMate.Bind;
using TrackMate.Store.Ingest;
using TrackMate.Store.Rebuild;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;
using TrackMate.Tests.Model;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Store;

/// <summary>A changed setting is derived in steps between the messages: what is shown is old or new, and in the end what a rebuild gives.</summary>
public sealed class SettingsStepsTests(TemporaryStore stored) : IClassFixture<TemporaryStore>
{
    private static readonly ActBy Operator = new("tests", Messages.Ten, DryRun: false);

    /// <summary>What is put in force at once.</summary>
    private static readonly Gen<CompanySettings> InForceAtOnce = Gen.Select(
        Gen.OneOf(1, 10, 30, 60, 720), Gen.OneOf<string[]>(["payment_processed", "Order Completed"], ["order_shipped", "payment_processed"], ["payment_refunded"]), Gen.OneOf("USD", "JPY"),
        (gap, types, currency) => new CompanySettings
        {
            ServerSessionGapMinutes = gap,
            PaymentTypes = types,
            RefundTypes = types.Contains("payment_refunded") ? ["payment_processed"] : ["payment_refunded", "refund_processed"],
            Currency = currency,
        });

    /// <summary>What is derived anew person by person.</summary>
    private static readonly Gen<CompanySettings> PersonByPerson = Gen.Select(
        Gen.OneOf(1, 2, 10), Gen.OneOf(1, 2, 10_000), Gen.OneOf(ClaimedJoins.All, ClaimedJoins.New, ClaimedJoins.None),
        (emails, sessions, claimed) => new CompanySettings { MaxEmailsPerPerson = emails, NewSessionsPerDay = sessions, ClaimedJoins = claimed });

    [Fact]
    public async Task What_is_shown_is_old_or_new_and_nothing_between() =>
        await Gen.Select(Histories.OfSize(24, withActs: false), InForceAtOnce.Array[2, 4], Gen.Int[1, 6]).SampleAsync(async (history, settings, most) =>
        {
            var random = new Random(history.Seed);
            var company = Add(History.CompanyOf(stored.NextCompany(), settings[0]));
            var arrival = new Queue<Message>(history.Arrival(order: 1, company));
            var arrived = new List<Message>();
            await ArriveAsync(arrival.Count / 2);
            foreach (var wanted in settings.Skip(1))
            {
                Change(company, wanted);
                // Another change may come before all of this one is derived.
                for (var steps = random.Next(2) == 0 ? int.MaxValue : random.Next(10); steps > 0 && Step(company, most); steps--)
                {
                    if (random.Next(3) == 0) await ArriveAsync(random.Next(3));
                    if (random.Next(3) == 0) AssertView($"While {wanted} is derived the view is another:");
                }
            }

            while (Step(company, most)) await ArriveAsync(random.Next(2));
            await ArriveAsync(arrival.Count);
            Assert.Equal((settings[^1].ServerSessionGapMinutes, settings[^1].Currency, null), (Current(company).Settings.ServerSessionGapMinutes, Current(company).Settings.Currency, Current(company).Settings.Next));
            Assert.Equal(settings[^1].PaymentTypes, Current(company).Settings.PaymentTypes);
            AssertView("In the end the view is another:");
            AssertDerivedIsWhatARebuildGives(company);

            async Task ArriveAsync(int count)
            {
                for (; count > 0 && arrival.TryDequeue(out var message); count--)
                {
                    arrived.Add(message);
                    await stored.Store.AppendAsync([message]);
                }
            }

            void AssertView(string what) => View.AssertEqual(
                NaiveView.Of(Current(company), arrived).ToText(),
                StoredView.Read(stored.Store, Current(company), [.. arrived.DistinctBy(message => (message.Order.Origin, message.EventId))], random).ToText(), what);
        }, iter: StoreUnderTest.Histories(300), threads: 1, print: sample => $"{string.Join("\n", sample.Item2.AsEnumerable())}\nsteps of {sample.Item3}\n{sample.Item1}");

    [Fact]
    public async Task Joins_and_claims_end_as_a_rebuild_gives_them() =>
        await Gen.Select(Histories.OfSize(24), PersonByPerson.Array[2, 4], Gen.Int[1, 300]).SampleAsync(async (history, settings, most) =>
        {
            var random = new Random(history.Seed);
            var company = Add(History.CompanyOf(stored.NextCompany(), settings[0]));
            history = history with { Settings = settings[0] };
            var arrival = new Queue<Message>(history.Arrival(order: 1, company));
            while (arrival.Count > history.Messages.Count / 3) await stored.Store.AppendAsync([arrival.Dequeue()]);
            var acts = new PlayedActs(stored.Store, company, history);
            await acts.DoAsync(int.MaxValue);
            foreach (var wanted in settings.Skip(1))
            {
                Change(company, wanted);
                for (var steps = random.Next(2) == 0 ? int.MaxValue : random.Next(5); steps > 0 && Step(company, most); steps--)
                {
                    if (random.Next(3) == 0 && arrival.TryDequeue(out var message)) await stored.Store.AppendAsync([message]);
                }
            }

            while (Step(company, most))
            {
                if (arrival.TryDequeue(out var message)) await stored.Store.AppendAsync([message]);
            }

            while (arrival.TryDequeue(out var message)) await stored.Store.AppendAsync([message]);
            View.AssertEqual(
                NaiveView.Of(Current(company), history.Messages, acts.Standing).ToText(),
                acts.Named(StoredView.Read(stored.Store, Current(company), history.Stored, random).ToText()), "In the end the view is another:");
            AssertDerivedIsWhatARebuildGives(company);
        }, iter: StoreUnderTest.Histories(300), threads: 1, print: sample => $"{string.Join("\n", sample.Item2.AsEnumerable())}\nsteps of {sample.Item3}\n{sample.Item1}");

    /// <summary>What an erasure takes between two steps is in neither ledger and in no run.</summary>
    [Fact]
    public async Task An_erasure_between_the_steps_leaves_nothing_behind() =>
        await Gen.Select(Histories.OfSize(24, withActs: false), Gen.Select(InForceAtOnce, InForceAtOnce), Gen.Int[1, 6], Gen.Int[0, 12]).SampleAsync(async (history, settings, most, before) =>
        {
            var random = new Random(history.Seed);
            var company = Add(History.CompanyOf(stored.NextCompany(), settings.Item1));
            await stored.Store.AppendAsync(history.Arrival(order: 1, company));
            Change(company, settings.Item2);
            for (; before > 0 && Step(company, most); before--)
            {
            }

            var persons = StoredView.Read(stored.Store, Current(company), [], random).Profiles;
            if (persons.Count > 0)
            {
                Assert.True(ProfileId.TryParse(persons[random.Next(persons.Count)].Id, out var id));
                var state = (await stored.Store.EraseAsync(company, erasure => erasure.Begin(company, id, Operator, suppress: false, most)))!;
                while (!state.RowsGone)
                {
                    Step(company, most);
                    state = (await stored.Store.EraseAsync(company, erasure => erasure.Continue(state, most)))!;
                }
            }

            while (Step(company, most))
            {
            }

            AssertDerivedIsWhatARebuildGives(company);
        }, iter: StoreUnderTest.Histories(300), threads: 1, print: sample => $"{sample.Item2}\nsteps of {sample.Item3} after {sample.Item4}\n{sample.Item1}");

    private Company Add(Company company)
    {
        using var beside = stored.OpenBeside();
        beside.BeginWrite([(Engine.NoCompany, Hold.Rewrite)]);
        beside.Use("INSERT INTO company (id, company_id, name, secret, settings, created_ms) VALUES (?, ?, ?, ?, ?, 0)")
            .With(company.Number).With($"{company.CompanyId}-{company.Number}").With(company.Name).WithBlob(company.Secret).With(CompanyRows.Write(company.Settings)).Run();
        beside.Execute("UPDATE registry_version SET version = version + 1");
        beside.Commit();
        return Current(company);
    }

    private Company Current(Company company) => stored.Store.Read(CompanyRows.Read).Single(known => known.Number == company.Number);

    private void Change(Company company, CompanySettings wanted)
    {
        using var beside = new BesideServer(stored.Engine);
        beside.Transact(company, _ =>
        {
            var settings = SettingsSteps.Begin(beside.Database, CompanyRows.Read(beside.Database).Single(known => known.Number == company.Number), wanted);
            beside.Database.Use("UPDATE company SET settings = ? WHERE id = ?").With(CompanyRows.Write(settings)).With(company.Number).Run();
            return true;
        });
    }

    private bool Step(Company company, int most)
    {
        using var beside = new BesideServer(stored.Engine);
        return beside.Transact(company, writer => SettingsSteps.Step(writer, company.Number, new(most, Timeout.InfiniteTimeSpan)));
    }

    private void AssertDerivedIsWhatARebuildGives(Company company)
    {
        company = Current(company);
        using var beside = stored.OpenBeside();
        var kept = Derived(beside, company);
        beside.BeginWrite([(company.Number, Hold.Rewrite)]);
        Rebuilder.Claims(beside, company);
        Rebuilder.Everything(beside, company);
        var rebuilt = Derived(beside, company);
        beside.Rollback();
        View.AssertEqual(rebuilt, kept, "A rebuild gives something else:");
    }

    private static string Derived(Database database, Company company) => RandomHistoriesTests.DerivedRows(database, company,
        [.. RandomHistoriesTests.DerivedTables, .. RandomHistoriesTests.PersonTables, .. RandomHistoriesTests.SessionTables, ("first_claim", "identifier, session, at_ms, event_id, standing"), ("(SELECT * FROM first_claim_day WHERE standing > 0) AS full_day", "identifier, day, standing"), ("rederive", "part")]);
}
