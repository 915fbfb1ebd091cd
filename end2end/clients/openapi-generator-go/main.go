package main

import (
	"context"
	"errors"
	"log"
	"os"
	"time"

	"example.com/client/latchkey"
)

func main() {
	configuration := latchkey.NewConfiguration()
	configuration.Servers = latchkey.ServerConfigurations{{URL: os.Getenv("LATCHKEY_URL")}}
	client := latchkey.NewAPIClient(configuration)
	ctx := withKey("LATCHKEY_KEY")

	properties, _, err := client.PropertiesAPI.ListProperties(ctx).Limit(50).Execute()
	check(err == nil && len(properties.Data) > 0, "list properties", err)
	property := properties.Data[0].Id
	services, _, err := client.OffersAPI.ListServices(ctx).PropertyId(property).Execute()
	check(err == nil && len(services.Data) > 0, "list services", err)

	arrival := time.Now().AddDate(0, 0, 300)
	input := latchkey.NewReservationInput(property, *latchkey.NewGuestInput("Ada Lovelace"),
		arrival.Format(time.DateOnly), arrival.AddDate(0, 0, 1).Format(time.DateOnly))
	input.SetServiceId(services.Data[0].Id)
	made, _, err := client.ReservationsAPI.CreateReservation(ctx).ReservationInput(*input).Execute()
	check(err == nil, "create a reservation", err)
	found, _, err := client.ReservationsAPI.GetReservation(ctx, made.Id).Execute()
	check(err == nil && found.Guest.Name == "Ada Lovelace" && found.Arrival == input.Arrival, "get the reservation", err)

	_, response, err := client.PropertiesAPI.GetProperty(ctx, "prp_unknown").Execute()
	var refused *latchkey.GenericOpenAPIError
	check(errors.As(err, &refused) && response.StatusCode == 404, "an unknown property is refused", err)
	problem, isProblem := refused.Model().(latchkey.Problem)
	check(isProblem && problem.Code == "not_found", "the refusal is typed", err)

	verification, _, err := client.KeyVerificationAPI.VerifyKey(withKey("LATCHKEY_VERIFIER_KEY")).
		VerifyRequest(*latchkey.NewVerifyRequest(os.Getenv("LATCHKEY_KEY"))).Execute()
	check(err == nil && verification.Data.Valid, "verify a key", err)
}

func withKey(variable string) context.Context {
	keys := map[string]latchkey.APIKey{"x_api_key": {Key: os.Getenv(variable)}}
	return context.WithValue(context.Background(), latchkey.ContextAPIKeys, keys)
}

func check(isRight bool, step string, err error) {
	if !isRight {
		log.Fatalf("failed: %s: %v", step, err)
	}
}
